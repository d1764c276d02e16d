use super::*;
use proptest::prelude::*;

#[test]
fn alphabets_and_lengths() {
    let long = |n: usize| "a".repeat(n);
    assert!("a:b_C-9".parse::<ThingName>().is_ok());
    for bad in ["", "a b", "a.b", "ä", "a/b", &long(129)] {
        assert!(bad.parse::<ThingName>().is_err(), "{bad}");
    }
    assert!(long(128).parse::<ThingName>().is_ok());
    assert!("a.b+%_#*?!(),=@;$'-:9".parse::<DeviceId>().is_ok());
    for bad in ["", "a b", "a/b", "a\"b", "ä", &long(129)] {
        assert!(bad.parse::<DeviceId>().is_err(), "{bad}");
    }
    assert!("$Config".parse::<ShadowName>().is_ok());
    assert!(long(65).parse::<ShadowName>().is_err());
    assert!("a.b,c@d/e:f#g-h_i".parse::<AttributeName>().is_ok());
    assert!("a=b".parse::<AttributeName>().is_err());
    assert!("".parse::<AttributeValue>().is_ok());
    assert!("a=[b]".parse::<AttributeValue>().is_ok());
    assert!("two words".parse::<AttributeValue>().is_err());
    assert!(long(801).parse::<AttributeValue>().is_err());
    assert!("a description, mit Ümlaut".parse::<Description>().is_ok());
    assert!("line\nbreak".parse::<Description>().is_err());
    assert!(long(2029).parse::<Description>().is_err());
    assert!("ab".repeat(32).parse::<CertificateId>().is_ok());
    assert!("ab".repeat(33).parse::<CertificateId>().is_err());
    assert!("zz".repeat(32).parse::<CertificateId>().is_err());
    assert!("a+b=c,d.e@f-g_h".parse::<PolicyName>().is_ok());
    assert!("$edgeAgent".parse::<ModuleId>().unwrap().is_system());
}

#[test]
fn a_digest_becomes_a_certificate_id() {
    assert_eq!(
        CertificateId::of_digest([0xab; 32]).as_str(),
        "ab".repeat(32)
    );
}

#[test]
fn an_error_is_one_line_and_says_the_rule() {
    let error = "a\nb".parse::<ThingName>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r"thing name `a\nb` is not valid: it must be 1 to 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`"
    );
    assert!(CODES.iter().any(|(code, _)| *code == error.code()));
}

#[test]
fn arns_read_back() {
    for tail in [
        "thing/a:b",
        "thingtype/t",
        "thinggroup/g",
        "billinggroup/b",
        "policy/p",
        "job/j",
        "jobtemplate/j",
        "index/AWS_Things",
        "provisioningtemplate/t",
    ] {
        let text = format!("arn:aws:iot:eu-west-1:123456789012:{tail}");
        assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
    }
    for bad in [
        "",
        "arn:aws:iot",
        "arn:aws:s3:eu-west-1:123456789012:thing/a",
        "arn:aws:iot:eu-west-1:12345678901:thing/a",
        "arn:aws:iot:eu-west-1:123456789012:thing",
        "arn:aws:iot:eu-west-1:123456789012:spoon/a",
        "arn:aws:iot:eu-west-1:123456789012:thing/a b",
    ] {
        assert!(bad.parse::<Arn>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn every_thing_name_is_a_record_name(name in "[a-zA-Z0-9:_-]{1,128}") {
        let thing: ThingName = name.parse().unwrap();
        prop_assert_eq!(thing.record().thing_name(), Some(thing.clone()));
        prop_assert_eq!(thing.record().stream().unwrap().raw_key(), name);
    }

    #[test]
    fn every_device_id_has_a_stream(name in r"[A-Za-z0-9:.+%_#*?!(),=@;$'-]{1,128}") {
        let device: DeviceId = name.parse().unwrap();
        let record = RecordName::from(&device);
        prop_assert_eq!(record.stream().unwrap().raw_key(), name.clone());
        prop_assert_eq!(record.has_aws_face(), name.parse::<ThingName>().is_ok());
        let json = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(serde_json::from_str::<RecordName>(&json).unwrap(), record);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = text.parse::<Arn>();
        let _ = text.parse::<ThingId>();
        let _ = text.parse::<CertificateId>();
    }
}
