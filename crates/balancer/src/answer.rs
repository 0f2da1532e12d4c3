//! Answers that the load balancer gives by itself, in the shape of an application load balancer's.

use bytes::Bytes;
use http::StatusCode;
use pingora_core::{Result, protocols::http::date::get_cached_date};
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use std::fmt::Write;
use wharf_model::attributes::ListenerAttributes;

/// What an application load balancer calls itself.
const SERVER: &str = "awselb/2.0";

/// Returns a status with its words.
fn title(status: u16) -> String {
    let words = match status {
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        405 => "Not Allowed",
        408 => "Request Time-out",
        other => {
            StatusCode::from_u16(other).ok().and_then(|known| known.canonical_reason()).unwrap_or("Unknown")
        }
    };
    format!("{status} {words}")
}

/// Returns the page of a status.
pub(crate) fn page(status: u16) -> String {
    let title = title(status);
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         </body>\r\n</html>\r\n"
    )
}

/// Returns a whole answer, after which the connection is closed.
pub(crate) fn raw(status: u16) -> Vec<u8> {
    let (title, page) = (title(status), page(status));
    let head = format!(
        "HTTP/1.1 {title}\r\nServer: {SERVER}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    );
    head.into_bytes()
}

/// An answer that the load balancer gives by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Own {
    /// The status.
    pub(crate) status: u16,
    /// The body's media type.
    pub(crate) content_type: String,
    /// The body.
    pub(crate) body: String,
    /// Where the client is sent.
    pub(crate) location: Option<String>,
}

impl Own {
    /// Returns the page of a status.
    pub(crate) fn page(status: u16, location: Option<String>) -> Own {
        Own { status, content_type: "text/html".to_owned(), body: page(status), location }
    }

    /// Returns the answer as it is sent: without the body to a HEAD request.
    pub(crate) fn bytes(&self, attributes: &ListenerAttributes, head_only: bool, keep: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {}\r\n", title(self.status));
        for (name, value) in self.headers(attributes) {
            // A string takes all that is written.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str(if keep { "Connection: keep-alive\r\n\r\n" } else { "Connection: close\r\n\r\n" });
        if !head_only {
            head.push_str(&self.body);
        }
        head.into_bytes()
    }

    fn headers<'a>(&'a self, attributes: &'a ListenerAttributes) -> Vec<(&'a str, String)> {
        let server = attributes.server_header.then(|| ("Server", SERVER.to_owned()));
        let date = get_cached_date().to_str().unwrap_or_default().to_owned();
        let mut headers: Vec<_> = server.into_iter().chain([("Date", date)]).collect();
        if !self.content_type.is_empty() {
            headers.push(("Content-Type", self.content_type.clone()));
        }
        headers.push(("Content-Length", self.body.len().to_string()));
        headers.extend(self.location.iter().map(|location| ("Location", location.clone())));
        let others = attributes.response_headers.iter();
        headers.extend(others.map(|(name, value)| (name.as_str(), value.clone())));
        headers
    }

    /// Sends the answer to the client by pingora.
    pub(crate) async fn send(&self, session: &mut Session, attributes: &ListenerAttributes) -> Result<()> {
        let headers = self.headers(attributes);
        let mut header = ResponseHeader::build(self.status, Some(headers.len()))?;
        for (name, value) in headers {
            header.insert_header(name.to_owned(), value)?;
        }
        let bodiless = self.body.is_empty() || session.req_header().method == http::Method::HEAD;
        session.write_response_header(Box::new(header), bodiless).await?;
        if !bodiless {
            session.write_response_body(Some(Bytes::from(self.body.clone())), true).await?;
        }
        Ok(())
    }
}
