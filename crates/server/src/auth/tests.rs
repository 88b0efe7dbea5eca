use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000).unwrap()
}

struct Fixture {
    _root: TempDir,
    control: ControlFile,
    authenticator: Authenticator,
}

fn fixture(mode: &AuthMode) -> Fixture {
    let root = TempDir::new().unwrap();
    let directory = DataDirectory::open(root.path().join("data")).unwrap();
    Fixture {
        control: ControlFile::open(&directory).unwrap(),
        authenticator: Authenticator::new(mode, &directory).unwrap(),
        _root: root,
    }
}

impl Fixture {
    fn issue(&self, number: u8, expires_at: Option<Timestamp>) -> (TokenId, String) {
        let secret = TokenSecret::new([number; 32]);
        let id = TokenId::new(Uuid::from_u128(number.into()));
        let token = TokenRecord {
            id,
            tenant: TenantId::new("acme").unwrap(),
            user: UserId::new("ada").unwrap(),
            rights: Rights::Read,
            created_at: at(0),
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        self.control.insert_token(&secret.hash(), &token).unwrap();
        (id, format!("Bearer {}", secret.reveal()))
    }

    fn ask(&self, authorization: &str, now: Timestamp) -> Result<Identity, Denial> {
        self.authenticator
            .authenticate(Some(authorization.as_bytes()), now)
            .map_err(|error| match error {
                AuthError::Denied(denial) => denial,
                AuthError::Control(error) => panic!("{error}"),
            })
    }
}

const BEARER: AuthMode = AuthMode::Token { jwt: None };

#[test]
fn a_server_without_authentication_knows_everybody_as_one() {
    let mode = AuthMode::None {
        exposure: Exposure::LoopbackOnly,
    };
    let fixture = fixture(&mode);
    let identity = fixture.authenticator.authenticate(None, at(0)).unwrap();
    assert_eq!(identity, Identity::open());
    assert_eq!(identity.tenant.as_str(), "default");
    assert_eq!(identity.user.as_str(), "anonymous");
}

#[test]
fn a_token_is_good_until_it_expires_or_is_revoked() {
    let fixture = fixture(&BEARER);
    let (id, bearer) = fixture.issue(1, Some(at(10)));
    let identity = fixture.ask(&bearer, at(9)).unwrap();
    assert_eq!(identity.tenant.as_str(), "acme");
    assert_eq!(identity.rights, Rights::Read);
    assert_eq!(fixture.ask(&bearer, at(10)), Err(Denial::Expired));

    fixture.control.revoke_token(None, id, at(9)).unwrap();
    assert_eq!(fixture.ask(&bearer, at(9)), Err(Denial::Revoked));
    let recheck = fixture.authenticator.recheck(&identity.credential, at(9));
    assert!(matches!(recheck, Err(AuthError::Denied(Denial::Revoked))));
}

#[test]
fn a_token_in_memory_is_looked_up_again_after_a_change_and_after_a_while() {
    let fixture = fixture(&BEARER);
    let (id, bearer) = fixture.issue(1, None);
    assert!(fixture.ask(&bearer, at(0)).is_ok());
    let (other_id, other) = fixture.issue(2, None);
    assert!(fixture.ask(&other, at(0)).is_ok());
    fixture.control.revoke_token(None, id, at(0)).unwrap();
    assert_eq!(fixture.ask(&bearer, at(0)), Err(Denial::Revoked));
    assert!(fixture.ask(&other, at(0)).is_ok());

    // The note of a revocation is lost, as where its maker dies.
    let path = fixture._root.path().join("data/control.changes");
    let changes = std::fs::File::options().write(true).open(path).unwrap();
    let noted = changes.metadata().unwrap().len();
    fixture.control.revoke_token(None, other_id, at(0)).unwrap();
    changes.set_len(noted).unwrap();
    assert!(fixture.ask(&other, at(0)).is_ok());
    assert_eq!(fixture.ask(&other, at(1)), Err(Denial::Revoked));
}

#[test]
fn the_scheme_may_be_spelled_in_any_case() {
    let fixture = fixture(&BEARER);
    let (_, bearer) = fixture.issue(1, None);
    let spelled = bearer.replace("Bearer", "bEARER");
    assert!(fixture.ask(&spelled, at(0)).is_ok());
}

#[test]
fn what_is_no_known_credential_is_refused() {
    let fixture = fixture(&BEARER);
    let (_, good) = fixture.issue(1, None);
    let missing = fixture.authenticator.authenticate(None, at(0));
    assert!(matches!(missing, Err(AuthError::Denied(Denial::Missing))));
    let unknown = format!("Bearer {}", TokenSecret::new([9; 32]).reveal());
    let long = format!("Bearer {}", "a".repeat(CREDENTIAL_BYTES_MAX));
    for (text, expected) in [
        ("Bearer", Denial::Malformed),
        ("Bearer  ", Denial::Missing),
        (&good.replace("Bearer", "Basic"), Denial::Malformed),
        (&good[..good.len() - 1], Denial::Unknown),
        (&unknown, Denial::Unknown),
        ("Bearer a.b.c", Denial::Unknown),
        ("Bearer \u{1F600}", Denial::Unknown),
        (&long, Denial::Malformed),
    ] {
        assert_eq!(fixture.ask(text, at(0)), Err(expected), "{text:.40}");
    }
    let bytes = fixture
        .authenticator
        .authenticate(Some(b"Bearer \xff"), at(0));
    assert!(matches!(bytes, Err(AuthError::Denied(Denial::Malformed))));
}

#[test]
fn uses_are_collected_for_a_batch() {
    let fixture = fixture(&BEARER);
    let (id, bearer) = fixture.issue(1, None);
    fixture.ask(&bearer, at(1)).unwrap();
    fixture.ask(&bearer, at(2)).unwrap();
    let uses = fixture.authenticator.take_uses();
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [(id, at(2))]);
    assert!(fixture.authenticator.take_uses().is_empty());
}
