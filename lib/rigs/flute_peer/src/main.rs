//! The `flute` crate as a program for tests: packets on stdin or stdout, each behind its length.
//!
//! `flute_peer send ENCODING_ID SYMBOL_BYTES BLOCK_SYMBOLS REPAIR_SYMBOLS FILE...`
//! `flute_peer receive DIR`

use flute::core::{Oti, UDPEndpoint};
use flute::receiver::{writer::ObjectWriterFSBuilder, MultiReceiver};
use flute::sender::{ObjectDesc, Sender};
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::SystemTime;

fn endpoint() -> UDPEndpoint {
    UDPEndpoint::new(None, "239.255.1.1".to_string(), 5001)
}

fn oti(numbers: &[u16]) -> Oti {
    match numbers {
        [0, symbol, block, _] => Oti::new_no_code(*symbol, *block),
        [5, symbol, block, repair] => {
            Oti::new_reed_solomon_rs28(*symbol, *block as u8, *repair as u8).unwrap()
        }
        [6, symbol, block, repair] => Oti::new_raptorq(*symbol, *block, *repair, 1, 4).unwrap(),
        _ => panic!("need FEC encoding ID 0, 5 or 6 and three numbers: received {numbers:?}"),
    }
}

fn send(args: &[String]) {
    let numbers: Vec<u16> = args[..4].iter().map(|arg| arg.parse().unwrap()).collect();
    let mut sender = Sender::new(endpoint(), 7, &oti(&numbers), &Default::default());
    for file in &args[4..] {
        let path = std::path::Path::new(file);
        let name = path.file_name().unwrap().to_str().unwrap();
        let location = format!("http://dvb.gw/{name}");
        let object = ObjectDesc::create_from_buffer(
            std::fs::read(path).unwrap(),
            "application/octet-stream",
            &url::Url::parse(&location).unwrap(),
            true,
            Default::default(),
        )
        .unwrap();
        sender.add_object(0, object).unwrap();
    }
    let now = SystemTime::now();
    sender.publish(now).unwrap();
    let mut out = std::io::stdout().lock();
    while let Some(packet) = sender.read(now) {
        out.write_all(&(packet.len() as u32).to_be_bytes()).unwrap();
        out.write_all(&packet).unwrap();
    }
}

fn receive(dir: &str) {
    let builder = ObjectWriterFSBuilder::new(std::path::Path::new(dir), true).unwrap();
    let mut receiver = MultiReceiver::new(Rc::new(builder), None, false);
    let mut input = std::io::stdin().lock();
    loop {
        let mut length = [0u8; 4];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return,
            result => result.unwrap(),
        }
        let mut packet = vec![0u8; u32::from_be_bytes(length) as usize];
        input.read_exact(&mut packet).unwrap();
        if let Err(error) = receiver.push(&endpoint(), &packet, SystemTime::now()) {
            eprintln!("{error:?}");
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("send") => send(&args[1..]),
        Some("receive") => receive(&args[1]),
        _ => panic!("need send or receive"),
    }
}
