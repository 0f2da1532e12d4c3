//! The client's side of Session Manager's data channel, as `session-manager-plugin` speaks it, written from what that
//! program sends and not from Wharf's own code.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    net::TcpStream,
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

const HEADER: usize = 116;

/// A session as ExecuteCommand offered it, opened.
pub struct Plugin {
    socket: WebSocket<TcpStream>,
    session: String,
    sent: i64,
    expected: i64,
    early: BTreeMap<i64, (u32, Vec<u8>)>,
    began: bool,
    /// Everything that was shown so far.
    pub screen: String,
    /// What the session said at its end.
    pub closed: Option<String>,
}

impl Plugin {
    /// Opens a session with a token; nothing is read yet.
    ///
    /// # Panics
    /// When there is no such WebSocket.
    pub fn open(session: &Value, token: &str) -> Plugin {
        let url = session["streamUrl"].as_str().expect("a URL");
        let address =
            url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).expect("ws://address/…");
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out can be set");
        let (mut socket, answer) = client(url, stream).expect("a WebSocket");
        assert_eq!(answer.status(), 101);
        let opening = json!({
            "MessageSchemaVersion": "1.0", "RequestId": "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "TokenValue": token,
            "ClientId": "1b4e28ba-2fa1-41d2-883f-0016d3cca428", "ClientVersion": "1.2.707.0",
        });
        socket.send(Message::text(opening.to_string())).expect("the server reads");
        let session = session["sessionId"].as_str().unwrap_or_default().to_owned();
        let (screen, early) = (String::new(), BTreeMap::new());
        Plugin { socket, session, sent: 0, expected: 0, early, began: false, screen, closed: None }
    }

    /// Types something.
    pub fn type_text(&mut self, text: &str) {
        self.send(1, text.as_bytes());
    }

    /// Changes the terminal's size.
    pub fn resize(&mut self, cols: u32, rows: u32) {
        self.send(3, json!({"cols": cols, "rows": rows}).to_string().as_bytes());
    }

    /// Sends bytes that are no message.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let _ended = self.socket.send(Message::binary(bytes.to_vec()));
    }

    /// Reads until something is on the screen.
    ///
    /// # Panics
    /// When it does not come.
    pub fn until_shown(&mut self, text: &str) {
        self.until(|plugin| plugin.screen.contains(text), text);
    }

    /// Reads until the session is over, and returns what it said.
    ///
    /// # Panics
    /// When it does not end.
    pub fn until_closed(&mut self) -> String {
        self.until(|plugin| plugin.closed.is_some(), "the end of the session");
        self.closed.clone().unwrap_or_default()
    }

    /// Reads until the handshake is over.
    ///
    /// # Panics
    /// When it is not.
    pub fn until_begun(&mut self) {
        self.until(|plugin| plugin.began, "the end of the handshake");
    }

    fn until(&mut self, holds: impl Fn(&Plugin) -> bool, what: &str) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while !holds(self) {
            assert!(
                Instant::now() < deadline,
                "no {what:?}; closed {:?}; screen {:?}",
                self.closed,
                self.screen
            );
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => self.take(&bytes),
                Ok(_) => {}
                Err(tokio_tungstenite::tungstenite::Error::Io(error))
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(_) => {
                    self.closed.get_or_insert_default();
                }
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        assert_eq!(number(0), 116);
        let kind = String::from_utf8_lossy(&bytes[4..36]).trim().to_owned();
        let sequence = i64::from_be_bytes(bytes[48..56].try_into().expect("eight bytes"));
        let payload = bytes[HEADER + 4..].to_vec();
        assert_eq!(number(HEADER) as usize, payload.len());
        assert_eq!(bytes[80..112], Sha256::digest(&payload)[..], "the payload's digest");
        match kind.as_str() {
            "output_stream_data" => {
                // The id is written with its second half first.
                let id: String =
                    bytes[72..80].iter().chain(&bytes[64..72]).map(|byte| format!("{byte:02x}")).collect();
                let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
                self.acknowledge(&kind, &id, sequence);
                self.early.insert(sequence, (number(112), payload));
            }
            "channel_closed" => {
                let content: Value = serde_json::from_slice(&payload).expect("JSON");
                assert_eq!(content["SessionId"], self.session.as_str());
                self.closed = Some(content["Output"].as_str().unwrap_or_default().to_owned());
            }
            "acknowledge" => {}
            other => panic!("a message of type {other}"),
        }
        while let Some((kind, payload)) = self.early.remove(&self.expected) {
            self.expected += 1;
            match kind {
                1 | 11 => self.screen.push_str(&String::from_utf8_lossy(&payload)),
                5 => {
                    let asked: Value = serde_json::from_slice(&payload).expect("JSON");
                    assert_eq!(asked["RequestedClientActions"][0]["ActionType"], "SessionType");
                    let answer = json!({
                        "ClientVersion": "1.2.707.0", "Errors": null,
                        "ProcessedClientActions": [{"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": null, "Error": ""}],
                    });
                    self.send(6, answer.to_string().as_bytes());
                }
                7 => self.began = true,
                other => panic!("a payload of type {other}"),
            }
        }
    }

    fn acknowledge(&mut self, kind: &str, id: &str, sequence: i64) {
        let content = json!({
            "AcknowledgedMessageType": kind, "AcknowledgedMessageId": id,
            "AcknowledgedMessageSequenceNumber": sequence, "IsSequentialMessage": true,
        });
        let bytes = message("acknowledge", 0, 3, 0, content.to_string().as_bytes());
        let _ended = self.socket.send(Message::binary(bytes));
    }

    fn send(&mut self, payload_type: u32, payload: &[u8]) {
        let bytes = message("input_stream_data", self.sent, 0, payload_type, payload);
        self.sent += 1;
        let _ended = self.socket.send(Message::binary(bytes));
    }
}

fn message(kind: &str, sequence: i64, flags: u64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 116];
    bytes.extend(format!("{kind:<32}").bytes());
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(1_700_000_000_000_u64.to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(flags.to_be_bytes());
    bytes.extend([7; 16]);
    bytes.extend(Sha256::digest(payload));
    bytes.extend(payload_type.to_be_bytes());
    bytes.extend(u32::try_from(payload.len()).expect("short").to_be_bytes());
    bytes.extend(payload);
    bytes
}
