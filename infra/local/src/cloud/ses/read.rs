//! A mail as its reader sees it: as much of MIME as our own mail has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A line of the head, unfolded and decoded; empty where there is none.
pub(super) fn header(raw: &str, name: &str) -> String {
    let head = raw.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    words(line.unwrap_or_default())
}

/// Encoded words (RFC 2047); white space between two of them is none.
fn words(text: &str) -> String {
    let mut read = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("=?") {
        let mut parts = after.splitn(3, '?');
        let (Some(_), Some(how), Some(tail)) = (parts.next(), parts.next(), parts.next()) else { break };
        let Some((coded, after)) = tail.split_once("?=") else { break };
        if read.is_empty() || !before.trim().is_empty() {
            read.push_str(before);
        }
        read.push_str(&match how {
            "B" | "b" => base64(coded),
            _ => quoted(&coded.replace('_', " ")),
        });
        rest = after;
    }
    read + rest
}

/// The part of a kind, decoded; empty where there is none.
pub(super) fn part(raw: &str, kind: &str) -> String {
    let mark = format!("Content-Type: {kind}");
    let Some((_, rest)) = raw.split_once(&mark) else { return String::new() };
    let Some((head, body)) = rest.split_once("\r\n\r\n") else { return String::new() };
    let end = raw.split_once("boundary=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    let body = body.split(&format!("\r\n--{end}")).next().unwrap_or_default();
    let text = if head.contains("base64") {
        base64(body)
    } else if head.contains("quoted-printable") {
        quoted(body)
    } else {
        body.to_owned()
    };
    text.replace("\r\n", "\n")
}

fn base64(text: &str) -> String {
    let bare: String = text.split_whitespace().collect();
    String::from_utf8_lossy(&STANDARD.decode(bare).unwrap_or_default()).into_owned()
}

fn quoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *byte == b'=').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(coded) => {
                bytes.push(coded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_reads_as_it_was_written() {
        let raw = "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n =?utf-8?Q?_an_In=C3=A9s?=\r\nTo: <a@b.example>\r\n\
            Content-Type: multipart/alternative; boundary=\"x\"\r\n\r\n--x\r\n\
            Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            2 =C3=97 mug=\r\n!\r\n--x\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nPGI+\r\nPC9iPg==\r\n--x--\r\n";
        assert_eq!(header(raw, "Subject"), "Grüße an Inés");
        assert_eq!(header(raw, "Bcc"), "");
        assert_eq!(part(raw, "text/plain"), "2 × mug!");
        assert_eq!(part(raw, "text/html"), "<b></b>");
    }
}
