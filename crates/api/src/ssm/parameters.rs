//! Single parameters: shapes to model and back.

use wharf_aws::ssm::{
    DeleteParametersOutput, GetParameterOutput, GetParametersOutput, NamedInput, Parameter,
    PutParameterInput, PutParameterOutput,
};
use wharf_aws::{Empty, Hidden, Timestamp};
use wharf_control::Control;
use wharf_control::operations::parameters::{self, Error, Found, NewValue, Reference};
use wharf_model::secret::Plain;

use super::given::{self, invalid, required};
use crate::{Caller, Fault};

/// The most names of one request.
const NAMES_MAX: usize = 10;

pub(super) async fn put(
    control: &Control,
    caller: &Caller,
    input: PutParameterInput,
) -> Result<PutParameterOutput, Fault> {
    let kind = input.r#type.as_deref().filter(|kind| !kind.is_empty()).map(given::kind).transpose()?;
    given::key(input.key_id.as_deref(), kind)?;
    if input.policies.as_deref().is_some_and(|policies| !matches!(policies, "" | "{}" | "[]")) {
        return Err(invalid("Policies are not supported here; leave them out"));
    }
    match input.data_type.as_deref() {
        None | Some("" | "text") => {}
        Some(other) => {
            return Err(invalid(format!("DataType '{other}' is not supported here; only 'text' is")));
        }
    }
    let new = NewValue {
        name: required("name", input.name)?,
        value: Plain::new(required("value", input.value)?.0),
        kind,
        description: input.description,
        allowed_pattern: input.allowed_pattern,
        tier: given::tier(input.tier.as_deref())?,
        overwrite: input.overwrite,
        tags: given::tags(input.tags),
        by: caller.principal.clone(),
    };
    let (version, tier) = parameters::put(control, new).await?;
    Ok(PutParameterOutput { version, tier: tier.as_str() })
}

pub(super) async fn get(control: &Control, input: NamedInput) -> Result<GetParameterOutput, Fault> {
    let reference = Reference::new(&required("name", input.name)?);
    let found = parameters::get(control, &reference, input.with_decryption)?;
    Ok(GetParameterOutput { parameter: show(&found, &reference) })
}

pub(super) async fn get_several(control: &Control, input: NamedInput) -> Result<GetParametersOutput, Fault> {
    check_names(&input.names)?;
    let mut output = GetParametersOutput { parameters: Vec::new(), invalid_parameters: Vec::new() };
    for name in input.names {
        let reference = Reference::new(&name);
        match parameters::get(control, &reference, input.with_decryption) {
            Ok(found) => output.parameters.push(show(&found, &reference)),
            Err(Error::NotFound(_) | Error::VersionNotFound { .. }) => output.invalid_parameters.push(name),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(output)
}

pub(super) async fn delete(control: &Control, input: NamedInput) -> Result<Empty, Fault> {
    let name = required("name", input.name)?;
    let (deleted, _) = parameters::delete(control, std::slice::from_ref(&name)).await?;
    if deleted.is_empty() { Err(Error::NotFound(name).into()) } else { Ok(Empty {}) }
}

pub(super) async fn delete_several(
    control: &Control,
    input: NamedInput,
) -> Result<DeleteParametersOutput, Fault> {
    check_names(&input.names)?;
    let (deleted_parameters, invalid_parameters) = parameters::delete(control, &input.names).await?;
    Ok(DeleteParametersOutput { deleted_parameters, invalid_parameters })
}

fn check_names(names: &[String]) -> Result<(), Fault> {
    if (1..=NAMES_MAX).contains(&names.len()) {
        Ok(())
    } else {
        Err(invalid(format!("Names must have 1 to {NAMES_MAX} items.")))
    }
}

/// Returns a parameter with a value.
pub(super) fn show(found: &Found, reference: &Reference) -> Parameter {
    Parameter {
        name: found.parameter.name.clone(),
        r#type: found.version.kind.as_str(),
        value: Hidden(found.value.reveal().to_owned()),
        version: found.version.version,
        selector: reference.selector(),
        last_modified_date: Timestamp::from_millis(found.version.modified_at.0),
        arn: found.parameter.arn.to_string(),
        data_type: "text",
    }
}
