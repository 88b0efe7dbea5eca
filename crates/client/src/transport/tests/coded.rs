//! Answers that come compressed.

use super::*;

fn zstd_of(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 0).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Asks a server of another machine, which answers compressed.
fn ask_coded(
    coding: &'static str,
    body: Vec<u8>,
) -> (Result<Answer, TransportError>, crate::scripted::Seen) {
    let server = Scripted::start(move |_| {
        let head = format!("200 OK\r\ncontent-encoding: {coding}");
        Reaction::Answer(answer(&head, &body))
    });
    let transport = to_coded(server.endpoint.clone(), None, Coding::Compressed);
    let answered = run(transport.call(get("sync/pull")));
    (answered, server.seen.recv().unwrap())
}

#[test]
fn an_answer_from_afar_is_asked_for_compressed_and_expanded() {
    for (coding, body) in [
        ("gzip", gzipped(b"{\"ops\":[]}")),
        ("zstd", zstd_of(b"{\"ops\":[]}")),
    ] {
        let (answered, seen) = ask_coded(coding, body);
        assert_eq!(bytes(&answered.unwrap()), b"{\"ops\":[]}");
        assert_eq!(seen.header("accept-encoding"), Some("zstd, gzip"));
    }
    // As several frames, which a proxy may make of it, and in small parts.
    let (first, second) = (zstd_of(&[b' '; 700]), zstd_of(b"{}"));
    let (answered, _) = ask_coded("zstd", [first, second].concat());
    assert_eq!(bytes(&answered.unwrap()).len(), 702);
    let (answered, _) = ask_coded("br", b"{}".to_vec());
    assert!(matches!(answered, Err(TransportError::Coding { coding }) if coding == "br"));
}

#[test]
fn a_small_answer_that_expands_to_a_large_one_is_cut_off_at_the_limit() {
    let flood = vec![b' '; 50_000_000];
    for (coding, body) in [("gzip", gzipped(&flood)), ("zstd", zstd_of(&flood))] {
        let (answered, _) = ask_coded(coding, body);
        assert!(
            matches!(answered, Err(TransportError::TooLarge { bytes_max: 1000 })),
            "{coding}: {answered:?}"
        );
    }
}

#[test]
fn a_broken_coding_is_a_broken_answer() {
    let mut body = gzipped(b"{\"ops\":[]}");
    body.truncate(body.len() - 9);
    let (answered, _) = ask_coded("gzip", body);
    assert!(matches!(answered, Err(TransportError::Cut(_))));

    let whole = zstd_of(b"{\"ops\":[]}");
    let expand = |body: Vec<u8>| match ask_coded("zstd", body).0 {
        Err(TransportError::Expand(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for kept in 0..whole.len() {
        expand(whole[..kept].to_vec());
    }
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(expand(changed).contains("checksum"));
    expand([&whole[..], b"more"].concat());
    expand(b"no zstd".to_vec());
}

#[test]
fn an_answer_that_would_have_more_held_than_is_granted_is_refused() {
    let with_window = |log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 0).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(b"{}").unwrap();
        encoder.finish().unwrap()
    };
    let (granted, _) = ask_coded("zstd", with_window(incoming::WINDOW_LOG_MAX));
    assert_eq!(bytes(&granted.unwrap()), b"{}");
    let (refused, _) = ask_coded("zstd", with_window(incoming::WINDOW_LOG_MAX + 1));
    let Err(TransportError::Expand(error)) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn a_prepared_file_is_expanded_on_its_way_to_the_disk_and_not_kept_when_cut() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.db");
    // More than one piece, of bytes that compress little.
    let content: Vec<u8> = (0..300_000_u32)
        .flat_map(|byte| byte.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect();
    let whole = zstd_of(&content);
    let fetch = |body: Vec<u8>| {
        let head =
            format!("200 OK\r\ncontent-encoding: zstd\r\ncontent-type: {PREPARED_FILE_TYPE}");
        let server = Scripted::start(move |_| Reaction::Answer(answer(&head, &body)));
        let call = Call {
            save_to: Some(path.clone()),
            ..get("sync/bootstrap")
        };
        let transport = to_coded(server.endpoint.clone(), None, Coding::Compressed);
        run(transport.call(call))
    };
    let cut = fetch(whole[..whole.len() - 1].to_vec());
    assert!(matches!(cut, Err(TransportError::Expand(_))), "{cut:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(fetch(whole).unwrap().body, AnswerBody::Saved);
    assert!(std::fs::read(&path).unwrap() == content);
}

#[test]
fn a_stream_is_not_asked_for_as_zstandard() {
    let server = Scripted::start(|_| Reaction::Answer(answer("200 OK", b"")));
    let transport = to_coded(server.endpoint.clone(), None, Coding::Compressed);
    let opened = run(transport.open_stream(get("sync/stream"), Duration::from_secs(20)));
    assert!(matches!(opened.unwrap(), Opened::Open(_)));
    let seen = server.seen.recv().unwrap();
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
}
