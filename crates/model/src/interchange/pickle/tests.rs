//! Tests of the machine on pickles by hand.

use super::*;

fn refused(bytes: &[u8]) -> String {
    state_dict(bytes).unwrap_err()
}

#[test]
fn functions_that_a_state_dict_does_not_need_are_refused_by_name() {
    let message = refused(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.");
    assert_eq!(message, "the global os.system at byte 2");
    let message = refused(b"\x80\x02cbuiltins\neval\n.");
    assert!(message.contains("builtins.eval"), "{message}");
    let message = refused(b"\x80\x02c__builtin__\ngetattr\n.");
    assert!(message.contains("__builtin__.getattr"), "{message}");
}

#[test]
fn opcodes_that_a_state_dict_does_not_need_are_refused_by_number() {
    // INST, OBJ and EXT1 are other ways to a function.
    for (bytes, opcode) in [
        (&b"\x80\x02(ios\nsystem\n."[..], "0x69"),
        (b"\x80\x02(o.", "0x6f"),
        (b"\x80\x02\x82\x01.", "0x82"),
        (b"\x80\x02S'a'\n.", "0x53"),
    ] {
        let message = refused(bytes);
        assert!(message.contains(opcode), "{message}");
    }
    let message = refused(b"\x80\x04\x8c\x02os\x8c\x06system\x93.");
    assert!(message.contains("os.system"), "{message}");
    assert!(
        refused(b"\x80\x06.").contains("protocol 6"),
        "another protocol"
    );
}

#[test]
fn damaged_pickles_are_errors() {
    for bytes in [
        &b""[..],
        b"\x80",
        b"\x80\x02.",
        b"\x80\x02t.",
        b"\x80\x02R.",
        b"\x80\x02)R.",
        b"\x80\x02(}u.",
        b"\x80\x02Q.",
        b"\x80\x02h\x00.",
        b"\x80\x02X\xff\xff\xff\xffab.",
        b"\x80\x02\x8a\xff.",
        b"\x80\x02ccollections\nOrderedDict",
        b"\x80\x02}X\x01\x00\x00\x00aK\x01s.",
    ] {
        assert!(!refused(bytes).is_empty(), "{bytes:?}");
    }
}

#[test]
fn doubling_and_nesting_take_no_more_than_the_pickle() {
    // Each step doubles what the last one holds: written out it would be 2^4000 values.
    let mut bytes = b"\x80\x02)".to_vec();
    for _ in 0..4000 {
        bytes.extend(b"q\x00h\x00\x86");
    }
    bytes.push(b'.');
    assert_eq!(refused(&bytes), "no dictionary at its end");
}

/// A megabyte in which a text is recalled 262,000 times, and one in which a function is called with a tuple of 600,000
/// values 80,000 times: values are shared, so neither takes more than a few of its own size.
#[test]
fn sharing_and_calling_again_take_no_more_than_the_pickle() {
    let n = (1_u32 << 19) - 40;
    let mut recalls = b"\x80\x02X".to_vec();
    recalls.extend(n.to_le_bytes());
    recalls.extend(vec![b'a'; n as usize]);
    recalls.extend(b"q\x00");
    recalls.extend(b"h\x00".repeat((1 << 18) - 20));
    recalls.push(b'.');
    let began = std::time::Instant::now();
    assert_eq!(refused(&recalls), "no dictionary at its end");
    let mut calls =
        b"\x80\x02ctorch._utils\n_rebuild_parameter\nq\x01ctorch._utils\n_rebuild_tensor_v2\n(("
            .to_vec();
    calls.extend(b"X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ");
    calls.extend(b"K\x00K\x01\x85K\x01\x85tRq\x02(h\x02");
    calls.extend(b"N".repeat(200 << 10));
    calls.extend(b"tq\x03");
    calls.extend(b"h\x01h\x03R".repeat(80_000));
    calls.push(b'.');
    let message = refused(&calls);
    assert!(
        message.contains("values") || message.contains("dictionary"),
        "{message}"
    );
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn each_kind_of_value_has_a_limit() {
    for (part, what) in [
        (&b"]"[..], "of one kind"),
        (b"}", "of one kind"),
        (b"N", "more than"),
        (b"(", "more than"),
        (b")", "more than"),
        (b"cx\ny\n", "of one kind"),
        (b"Nr\x00\x00\x00\x00", "more than"),
    ] {
        let mut bytes = b"\x80\x02".to_vec();
        bytes.extend(part.repeat(1 << 20));
        assert!(refused(&bytes).contains(what), "{part:?}");
    }
    let mut remembered = b"\x80\x02N".to_vec();
    for place in 0..200_000_u32 {
        remembered.push(b'r');
        remembered.extend(place.to_le_bytes());
    }
    assert!(refused(&remembered).contains("remembered"));
    // A module in itself, and each in the next twice: 2^32 ways to the last.
    let mut shared = b"\x80\x02}q\x00".to_vec();
    for _ in 0..31 {
        shared.extend(b"cm\nM\n)\x81}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00ubq\x00");
    }
    shared.push(b'.');
    assert!(
        refused(&shared).contains("too many attributes"),
        "{}",
        refused(&shared)
    );
    let cycle = b"\x80\x02cm\nM\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb.";
    assert!(refused(cycle).contains("deep"), "{}", refused(cycle));
}
