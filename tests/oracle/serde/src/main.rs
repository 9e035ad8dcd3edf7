//! What serde_json accepts and writes, as a header of C: the goldens of natlet's mail.
//!
//! A payload is acceptable if `from_slice::<Value>` takes it.  An envelope is what `Message` below
//! is read from and written to; a state action, what `StateAction` is read from.
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{from_slice, json, to_string, Value};

#[derive(Serialize, Deserialize)]
struct AgentId(String);

#[derive(Serialize, Deserialize)]
struct Message {
    id: String,
    from: AgentId,
    to: AgentId,
    payload: Value,
    timestamp: u64,
}

/// The payload's own text.
#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
enum StateAction {
    Store { key: String, value: Value },
    Get { key: String },
    Delete { key: String },
    Clear,
    List,
}

const NS: &str = "1730678400123456789";
const SECONDS: u64 = 1730678400;

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |w, i| w << 8 | u32::from(*chunk.get(i).unwrap_or(&0)));
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i) & 63) as usize] as char;
            text.push(if i <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

/// A string literal of C for any bytes.
fn literal(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &b in bytes {
        match b {
            b'"' | b'\\' => text.push_str(&format!("\\{}", b as char)),
            b'?' | 0..=0x1f | 0x7f..=0xff => text.push_str(&format!("\\{:03o}", b)),
            _ => text.push(b as char),
        }
    }
    text.push('"');
    text
}

fn nested(depth: usize) -> Vec<u8> {
    [vec![b'['; depth], vec![b']'; depth]].concat()
}

fn nested_objects(depth: usize) -> Vec<u8> {
    format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth)).into_bytes()
}

fn payloads() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"", b" ", b"\n", b"null", b"true", b"false", b"nul", b"True", b"0", b"-0", b"-", b"00", b"01", b"-01", b"1.",
        b".5", b"1.5", b"+1", b"1e5", b"1E+5", b"1e", b"1e-", b"1e400", b"-1e400", b"1e-400", b"1e308",
        b"1.7976931348623157e308", b"1.7976931348623159e308", b"1e309", b"0e400", b"0.0e999999999999",
        b"18446744073709551615", b"18446744073709551616", b"-9223372036854775808", b"-9223372036854775809",
        b"123456789012345678901234567890", b"NaN", b"Infinity", b"-Infinity", b"0x10", b"1_000", b"\"\"", b"\"text\"",
        b"\"a", b"'a'", b"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", b"\"\\a\"", b"\"\\\"", b"\"\\u0041\"", b"\"\\u00\"",
        b"\"\\u00zz\"", b"\"\\u0000\"", b"\"\\ud83d\\ude00\"", b"\"\\uD83D\\uDE00\"", b"\"\\ud83d\"", b"\"\\ude00\"",
        b"\"\\ud83d\\u0041\"", b"\"\\ud83dx\"", b"\"\\ud83d\\ud83d\"", b"\"\\udc00\\ud800\"", b"\"a\nb\"", b"\"a\tb\"",
        b"\"\x00\"", b"\"\x1f\"", b"\"\x7f\"", b"\"\xc3\xa4\"", b"\"\xf0\x9f\x98\x80\"", b"\"\xff\"", b"\"\xc3\"",
        b"\"\xc3(\"", b"\"\xc0\xaf\"", b"\"\xe0\x80\xaf\"", b"\"\xed\xa0\x80\"", b"\"\xed\x9f\xbf\"",
        b"\"\xf4\x90\x80\x80\"", b"\"\xf4\x8f\xbf\xbf\"", b"\"\xf8\x88\x80\x80\x80\"", b"\"\xe2\x82\"", b"\x80",
        b"\xef\xbb\xbf1", b"\xef\xbb\xbf", b"[]", b"{}", b"[ ]", b"{ }", b"[1,2]", b"[1,]", b"[,1]", b"[1 2]", b"[1",
        b"]", b"[1]]", b"{\"a\":1}", b"{\"a\":1,}", b"{,}", b"{\"a\"}", b"{\"a\":}", b"{\"a\" 1}", b"{a:1}", b"{1:1}",
        b"{\"a\":1", b"{\"a\":1]", b"[1}", b"{\"a\":1,\"a\":2}", b"{\"b\":1,\"a\":2}", b"{\"\":{\"\":[]}}",
        b"  [1, 2]\n", b"\t\r\n {} \t\r\n", b"\x0b1", b"\x0c1", b"1\x00", b"\xc2\xa01", b"1 2", b"{} {}", b"1,", b"//c\n1",
        b"/**/1", b"1 // c", b"[1,null,true,\"x\",{\"y\":[0.5]}]",
        b"{\"k\":\"\xe2\x82\xac \\u20ac / \\/\"}", b"hello", b"hi", b"h", b"\x00\x01\x02\xff", b"{\"x\":1e400}",
        b"[[[[[[]]]]]", b"tru", b"truex", b"[true false]", b"\"a\" \"b\"", b"\"\\x41\"", b"\"\\u{41}\"", b"-1", b"- 1",
        b"1.0", b"1.5e+10", b"2e-3", b"9007199254740993", b"[1.0e+,2]", b"\"\xe2\x80\xa8\"",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.extend(vec![nested(126), nested(127), nested(128), nested_objects(127), nested_objects(128)]);
    all
}

/// The whole object, if serde writes the payload as it stands or it is no JSON: else nobody says it.
fn mapped(subject: &str, payload: &[u8]) -> Option<String> {
    let value = match from_slice::<Value>(payload) {
        Ok(value) if to_string(&value).unwrap().as_bytes() != payload => return None,
        Ok(value) => value,
        Err(_) => json!({ "raw": base64(payload) }),
    };
    let message = Message {
        id: format!("nats_{}", NS),
        from: AgentId("nats".to_string()),
        to: AgentId(subject.to_string()),
        payload: value,
        timestamp: SECONDS,
    };
    Some(to_string(&message).unwrap())
}

fn envelopes() -> Vec<&'static [u8]> {
    vec![
        br#"{"id":"m1","from":"a","to":"b","payload":{"type":"ping"},"timestamp":12345}"#,
        br#" { "timestamp" : 0 , "payload" : [ 1 , 2 ] , "to" : "b" , "from" : "a" , "id" : "" } "#,
        br#"{"id":"m\"1\\\n\u0041\u00e4\ud83d\ude00","from":"a/b","to":"\u0000","payload":null,"timestamp":1}"#,
        b"{\"id\":\"\xc3\xa4\",\"from\":\"\x7f\",\"to\":\"\xe2\x82\xac\",\"payload\":\"x\",\"timestamp\":18446744073709551615}",
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":1,"more":{"id":2,"payload":[]}}"#,
        br#"{"id":"m","from":"a","to":"b","payload":{"id":"i","from":"f","to":"t","payload":0,"timestamp":9},"timestamp":1}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":18446744073709551616}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":-1}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":-0}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":1.0}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":1e2}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":"1"}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":null}"#,
        br#"{"id":7,"from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"id":"m","from":{"0":"a"},"to":"b","payload":1,"timestamp":1}"#,
        br#"{"id":"m","from":"a","to":null,"payload":1,"timestamp":1}"#,
        br#"{"id":"m","from":"a","to":"b","timestamp":1}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1}"#,
        br#"{"from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"id":"m","id":"n","from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"payload":2,"timestamp":1}"#,
        br#"{"\u0069d":"m","fr\u006fm":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"\u0069d":"m","id":"m","from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"i":"m","from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"idx":"m","from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"ID":"m","from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1,"timestamp":1,}"#,
        br#"{"id":"m","from":"a","to":"b","payload":1e400,"timestamp":1}"#,
        br#"{"id":"\ud800","from":"a","to":"b","payload":1,"timestamp":1}"#,
        br#"{}"#,
        br#"[]"#,
        br#""id""#,
        b"",
    ]
}

/// Objects only: a list of five values is nobody's envelope, though serde would take it.
fn read_envelope(text: &[u8]) -> Option<Message> {
    let is_object = from_slice::<Value>(text).map_or(false, |value| value.is_object());
    from_slice::<Message>(text).ok().filter(|_| is_object)
}

fn actions() -> Vec<&'static [u8]> {
    vec![
        br#"{"Store":{"key":"k","value":{"data":"test"}}}"#,
        br#" {"Store" : {"value" : [1, 2] , "key" : "a:b" , "more" : 1} } "#,
        br#"{"Store":{"key":"\u00e4\n","value":null}}"#,
        br#"{"Store":{"key":"","value":"x"}}"#,
        br#"{"Store":{"key":"k"}}"#,
        br#"{"Store":{"value":1}}"#,
        br#"{"Store":{"key":1,"value":1}}"#,
        br#"{"Store":{"key":"k","key":"l","value":1}}"#,
        br#"{"Store":"k"}"#,
        br#"{"Store":null}"#,
        br#""Store""#,
        br#"{"Get":{"key":"k"}}"#,
        br#"{"Get":{}}"#,
        br#"{"Get":{"key":null}}"#,
        br#"{"Delete":{"key":"k"}}"#,
        br#"{"Delete":{"key":"k"},"Get":{"key":"k"}}"#,
        br#"{"Delete":{"key":"k"},"type":"ping"}"#,
        br#""Clear""#,
        br#""Cl\u0065ar""#,
        br#" "List" "#,
        br#"{"Clear":null}"#,
        br#"{"List":{}}"#,
        br#"{"List":1}"#,
        br#""clear""#,
        br#"{"store":{"key":"k","value":1}}"#,
        br#"{}"#,
        br#"[]"#,
        br#"["Clear"]"#,
        br#"null"#,
        b"",
        br#"Clear"#,
    ]
}

/// kind, key, value as serde writes it
fn read_action(text: &[u8]) -> (&'static str, String, String) {
    let none = String::new();
    match from_slice::<StateAction>(text) {
        Ok(StateAction::Store { key, value }) => ("STORE", key, to_string(&value).unwrap()),
        Ok(StateAction::Get { key }) => ("GET", key, none),
        Ok(StateAction::Delete { key }) => ("DELETE", key, none),
        Ok(StateAction::Clear) => ("CLEAR", none.clone(), none),
        Ok(StateAction::List) => ("LIST", none.clone(), none),
        Err(_) => ("NONE", none.clone(), none),
    }
}

/// A literal and its length.
fn both(bytes: &[u8]) -> String {
    format!("{}, {}", literal(bytes), bytes.len())
}

fn main() {
    println!("/* What serde_json {} accepts and writes.  Written by make serde-goldens; never edited. */", env!("SERDE_JSON"));
    println!("#ifndef SERDE_GOLDENS_H\n#define SERDE_GOLDENS_H\n");
    println!("/* clang-format off */");
    println!("\n/* payload, its length; whether it is JSON; the whole mail to \"a.b\", empty if serde would write");
    println!(" * the payload in another way */\n#define SERDE_PAYLOADS(X) \\");
    for payload in payloads() {
        let is_json = from_slice::<Value>(&payload).is_ok();
        let whole = mapped("a.b", &payload).unwrap_or_default();
        println!("    X({}, {}, {}) \\", both(&payload), is_json as u8, both(whole.as_bytes()));
    }
    println!("\n/* subject, its length; the whole mail with the payload 1 */\n#define SERDE_SUBJECTS(X) \\");
    for subject in &["", "a", "a.b.c", "a\"b", "a\\b", "a/b", "\u{1}\u{8}\u{9}\u{a}\u{c}\u{d}\u{1f}", "\u{7f}", "ä€😀", "<&>'"] {
        println!("    X({}, {}) \\", both(subject.as_bytes()), both(mapped(subject, b"1").unwrap().as_bytes()));
    }
    println!("\n/* text, its length; whether it is an envelope: id, from, to, timestamp, the payload's own text;");
    println!(" * the envelope as serde writes it, empty if it would write the payload in another way */\n#define SERDE_ENVELOPES(X) \\");
    for text in envelopes() {
        let (yes, message) = match read_envelope(text) {
            Some(message) => (1, message),
            None => (0, Message { id: String::new(), from: AgentId(String::new()), to: AgentId(String::new()), payload: Value::Null, timestamp: 0 }),
        };
        let raw = from_slice::<RawMessage>(text).ok().filter(|_| yes == 1).map_or("", |m| m.payload.get());
        let written = if yes == 1 && to_string(&message.payload).unwrap() == raw { to_string(&message).unwrap() } else { String::new() };
        println!(
            "    X({}, {}, {}, {}, {}, UINT64_C({}), {}, {}) \\",
            both(text), yes, both(message.id.as_bytes()), both(message.from.0.as_bytes()), both(message.to.0.as_bytes()),
            message.timestamp, both(raw.as_bytes()), both(written.as_bytes())
        );
    }
    println!("\n/* text, its length; the action, its key, its value as serde writes it */\n#define SERDE_ACTIONS(X) \\");
    for text in actions() {
        let (kind, key, value) = read_action(text);
        println!("    X({}, {}, {}, {}) \\", both(text), kind, both(key.as_bytes()), both(value.as_bytes()));
    }
    println!("\n/* clang-format on */\n#endif");
}
