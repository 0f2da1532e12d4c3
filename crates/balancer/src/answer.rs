//! Answers that the load balancer gives by itself, in the shape of an application load balancer's.

use bytes::Bytes;
use http::StatusCode;
use pingora_core::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;

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

/// Sends an answer to the client.
pub(crate) async fn send(
    session: &mut Session,
    status: u16,
    content_type: &str,
    body: String,
    location: Option<&str>,
) -> Result<()> {
    let mut header = ResponseHeader::build(status, Some(6))?;
    header.insert_header(http::header::SERVER, SERVER)?;
    header.insert_header(http::header::CONTENT_TYPE, content_type)?;
    header.insert_header(http::header::CONTENT_LENGTH, body.len())?;
    if let Some(location) = location {
        header.insert_header(http::header::LOCATION, location)?;
    }
    let bodiless = body.is_empty() || session.req_header().method == http::Method::HEAD;
    session.write_response_header(Box::new(header), bodiless).await?;
    if !bodiless {
        session.write_response_body(Some(Bytes::from(body)), true).await?;
    }
    Ok(())
}

/// Sends the page of a status.
pub(crate) async fn send_page(session: &mut Session, status: u16) -> Result<()> {
    send(session, status, "text/html", page(status), None).await
}
