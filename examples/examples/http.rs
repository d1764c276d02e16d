//! A fleet behind HTTP, with nothing but the standard library: `POST /CreateThing` with the parameters as its JSON body.
//!
//! The handler is the whole point: it maps a path to an operation, a header to the actor and an error to a status, and
//! knows nothing else of fleets. Without `--serve` the example is its own client and ends when its story is told.
//!
//! ```sh
//! cargo run -p fleet-examples --example http -- --serve 127.0.0.1:8080 &
//! curl -d '{"thingName":"press-7"}' http://127.0.0.1:8080/CreateThing
//! ```

use fleet_model::kernel::Actor;
use fleet_sdk::{Caller, Fleet};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

type Failure = Box<dyn Error + Send + Sync>;

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

struct Request {
    operation: String,
    actor: String,
    body: Vec<u8>,
}

/// One operation: the status of the answer and its body.
fn handle(fleet: &Fleet, request: &Request) -> (u16, Value) {
    let Ok(actor) = request.actor.parse::<Actor>() else {
        return (
            401,
            json!({"code": "http.actor", "message": "the `X-Actor` header names no principal"}),
        );
    };
    let params = if request.body.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(&request.body) {
            Ok(params) => params,
            Err(error) => {
                return (
                    400,
                    json!({"code": "http.body", "message": error.to_string()}),
                );
            }
        }
    };
    let outcome =
        pollster::block_on(fleet.call_json(&request.operation, params, &Caller::new(actor)));
    match outcome.result {
        Ok(answer) => (200, answer),
        Err(error) => (error.status, json!(error)),
    }
}

fn read(stream: &TcpStream) -> Result<Option<Request>, Failure> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.by_ref().take(8192).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let operation = line
        .split_whitespace()
        .nth(1)
        .and_then(|path| path.strip_prefix('/'))
        .unwrap_or_default()
        .to_owned();
    let (mut length, mut actor) = (0, "user:anonymous".to_owned());
    loop {
        let mut header = String::new();
        reader.by_ref().take(8192).read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<usize>()?.min(LARGEST_BODY),
            "x-actor" => actor = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request {
        operation,
        actor,
        body,
    }))
}

fn serve(fleet: &Arc<Fleet>, listener: &TcpListener, connections: usize) -> Result<(), Failure> {
    let mut workers = Vec::new();
    for stream in listener.incoming().take(connections) {
        let (fleet, mut stream) = (Arc::clone(fleet), stream?);
        // A fleet is `Sync`: every connection may have a thread of its own.
        workers.push(std::thread::spawn(move || -> Result<(), Failure> {
            let Some(request) = read(&stream)? else {
                return Ok(());
            };
            let (status, answer) = handle(&fleet, &request);
            let body = answer.to_string();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )?;
            Ok(())
        }));
    }
    for worker in workers {
        worker.join().map_err(|_| "a connection's thread died")??;
    }
    Ok(())
}

/// A client in ten lines.
fn post(address: &str, operation: &str, params: &Value) -> Result<(u16, Value), Failure> {
    let mut stream = TcpStream::connect(address)?;
    let body = params.to_string();
    let length = body.len();
    write!(
        stream,
        "POST /{operation} HTTP/1.1\r\nX-Actor: user:ops\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    let status = head.split_whitespace().nth(1).ok_or("no status")?.parse()?;
    println!("POST /{operation} {params}\n  {status} {body}");
    Ok((status, serde_json::from_str(body)?))
}

fn main() -> Result<(), Failure> {
    let fleet = Arc::new(fleet_examples::fleet_in_memory()?);
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--serve") {
        let listener = TcpListener::bind(arguments.next().unwrap_or("127.0.0.1:8080".to_owned()))?;
        println!("listening on http://{}", listener.local_addr()?);
        return serve(&fleet, &listener, usize::MAX);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let story = [
        (
            "CreateThing",
            json!({"thingName": "press-7", "attributePayload": {"attributes": {"site": "b2"}}}),
            200,
        ),
        ("CreateThingGroup", json!({"thingGroupName": "plant"}), 200),
        (
            "AddThingToThingGroup",
            json!({"thingName": "press-7", "thingGroupName": "plant"}),
            200,
        ),
        ("DescribeThing", json!({"thingName": "press-7"}), 200),
        ("DescribeThing", json!({"thingName": "press-8"}), 404),
        ("CreateThing", json!({"thingName": "two words"}), 400),
    ];
    let server = {
        let (fleet, connections) = (Arc::clone(&fleet), story.len());
        std::thread::spawn(move || serve(&fleet, &listener, connections))
    };
    for (operation, params, expected) in &story {
        let (status, _) = post(&address, operation, params)?;
        if status != *expected {
            return Err(format!("`{operation}` answered {status}, not {expected}").into());
        }
    }
    server.join().map_err(|_| "the server's thread died")?
}
