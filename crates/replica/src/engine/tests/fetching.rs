use super::*;

#[test]
fn a_log_is_fetched_page_by_page() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    server.page_ops = 7;
    let mut a = machines.node("a", ONCE);
    let texts: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    a.write(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    a.settle(&mut server);
    let mut b = machines.node("b", ONCE);
    b.settle(&mut server);
    assert_eq!(b.contents(), texts);
    equal_views(&mut [&mut a, &mut b]);
}

/// A log long enough for its prepared file to be fetched.
fn long_log(machines: &Machines, server: &mut WireServer) -> Node {
    let mut a = machines.node("a", ONCE);
    let texts: Vec<String> = (0..5_100).map(|n| n.to_string()).collect();
    a.write(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    a.settle(server);
    a
}

#[test]
fn a_prepared_file_is_adopted_and_the_rest_pulled() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = long_log(&machines, &mut server);
    let mut b = machines.node("b", ONCE);
    b.write(&["mine"]);
    let mut files = 0;
    b.settle_with(&mut server, &mut |call, answer| {
        files += usize::from(call.path == "sync/bootstrap" && answer.body == AnswerBody::Saved);
        Ok(answer)
    });
    assert_eq!(files, 1);
    a.tell(EngineEvent::Wake);
    a.settle(&mut server);
    assert_eq!(b.contents().last().unwrap(), "mine");
    assert_eq!(b.waiting(), 0);
    equal_views(&mut [&mut a, &mut b]);
}

#[test]
fn a_replica_with_nothing_asks_for_little_until_it_knows_how_long_the_log_is() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let _long = long_log(&machines, &mut server);
    let mut b = machines.node("b", ONCE);
    let mut before_the_file = 0;
    let mut has_file = false;
    b.settle_with(&mut server, &mut |call, answer| {
        has_file |= call.path == "sync/bootstrap";
        if let AnswerBody::Bytes(body) = &answer.body
            && !has_file
        {
            before_the_file += String::from_utf8_lossy(body).matches("\"clock\"").count();
        }
        Ok(answer)
    });
    assert!(has_file);
    assert!(
        (1..=500).contains(&before_the_file),
        "{before_the_file} ops"
    );
}

#[test]
fn a_prepared_file_that_is_not_whole_is_not_taken() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = long_log(&machines, &mut server);
    let mut b = machines.node("b", ONCE);
    b.settle_with(&mut server, &mut |call, answer| {
        if let Some(path) = &call.save_to {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }
        Ok(answer)
    });
    equal_views(&mut [&mut a, &mut b]);
    assert!(b.finished);
}
