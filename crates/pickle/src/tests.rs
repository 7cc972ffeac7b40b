//! Tests of the machine and of arrays on what Python 2 and 3 write, byte by byte.

use super::*;

/// `{'data': numpy.array([[1, 2, 250]], 'u1'), 'labels': [7]}` as Python 2 writes it with protocol 2.
const PYTHON_2: &[u8] = b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04\
    K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01K\x03\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\
    \xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x03\x01\x02\xfatbU\x06labelsq\x08]q\x09K\x07au.";

/// The array of it as Python 3 writes it with protocol 2: its bytes as a text of the same numbers.
const PYTHON_3: &[u8] = b"\x80\x02cnumpy._core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02\
    c_codecs\nencode\nq\x03X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07\x87q\x08Rq\x09(K\x01K\x01\
    K\x03\x86q\x0acnumpy\ndtype\nq\x0bX\x02\x00\x00\x00u1q\x0c\x89\x88\x87q\x0dRq\x0e(K\x03X\x01\x00\x00\x00|q\x0fNNNJ\
    \xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x10b\x89h\x03X\x04\x00\x00\x00\x01\x02\xc3\xbaq\x11h\x05\x86q\x12Rq\x13tq\x14b.";

/// And with protocol 5: from a buffer.
const PROTOCOL_5: &[u8] = b"\x80\x05\x95\x79\x00\x00\x00\x00\x00\x00\x00\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\
    \x94\x93\x94(\x96\x03\x00\x00\x00\x00\x00\x00\x00\x01\x02\xfa\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\
    \x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94bK\x01K\x03\x86\x94\x8c\x01C\
    \x94t\x94R\x94.";

fn message(bytes: &[u8]) -> String {
    read(bytes, &mut Arrays).unwrap_err()
}

#[test]
fn arrays_of_each_protocol_are_read_as_numpy_means_them() {
    let pickle = read(PYTHON_2, &mut Arrays).unwrap();
    assert_eq!(pickle.length, PYTHON_2.len());
    let labels = pickle.graph.item(pickle.root, b"labels").unwrap();
    assert_eq!(pickle.graph.integers(labels, 1).unwrap(), [7]);
    assert!(
        pickle.graph.integers(labels, 0).is_err(),
        "more than are wanted"
    );
    let data = pickle.graph.item(pickle.root, b"data").unwrap();
    let python_3 = read(PYTHON_3, &mut Arrays).unwrap();
    let protocol_5 = read(PROTOCOL_5, &mut Arrays).unwrap();
    for (graph, value) in [
        (&pickle.graph, data),
        (&python_3.graph, python_3.root),
        (&protocol_5.graph, protocol_5.root),
    ] {
        let array = graph.array(value).unwrap();
        assert_eq!(
            (&array.shape[..], &array.bytes[..]),
            (&[1, 3][..], &[1, 2, 250][..])
        );
    }
}

/// `{b'labels': [7]}`, which Python 3 writes with protocol 2 after it has loaded Python 2's file with `encoding='bytes'`.
#[test]
fn keys_may_be_bytes_of_any_protocol() {
    for bytes in [
        &b"\x80\x02}c_codecs\nencode\nX\x06\x00\x00\x00labelsX\x06\x00\x00\x00latin1\x86R]K\x07as."
            [..],
        b"\x80\x03}C\x06labels]K\x07as.",
        b"\x80\x02}U\x06labels]K\x07as.",
        b"\x80\x04}\x8c\x06labels]K\x07as.",
    ] {
        let pickle = read(bytes, &mut Arrays).unwrap();
        let labels = pickle.graph.item(pickle.root, b"labels").unwrap();
        assert_eq!(pickle.graph.integers(labels, 1).unwrap(), [7]);
        assert!(pickle.graph.item(pickle.root, b"label").is_none());
    }
}

#[test]
fn numbers_have_their_width_sign_and_order() {
    let dtype = |kind: &str, order: &str| {
        let mut bytes = b"(cnumpy\ndtype\nU\x02".to_vec();
        bytes.extend(kind.as_bytes());
        bytes.extend(b"\x85R(K\x03U\x01");
        bytes.extend(order.as_bytes());
        bytes.extend(b"tb");
        bytes
    };
    for (kind, order, element, expected) in [
        ("u1", "|", &b"\xfe"[..], 254),
        ("i1", "|", b"\xfe", -2),
        ("i4", "<", b"\x05\x00\x00\x00", 5),
        ("i8", ">", b"\xff\xff\xff\xff\xff\xff\xff\xfd", -3),
    ] {
        let mut bytes = b"\x80\x02]cnumpy.core.multiarray\nscalar\n".to_vec();
        bytes.extend(&dtype(kind, order)[1..]);
        bytes.push(b'U');
        bytes.push(u8::try_from(element.len()).unwrap());
        bytes.extend(element);
        bytes.extend(b"\x86Ra.");
        let pickle = read(&bytes, &mut Arrays).unwrap();
        assert_eq!(
            pickle.graph.integers(pickle.root, 9).unwrap(),
            [expected],
            "{kind}"
        );
    }
}

#[test]
fn an_array_that_is_not_what_it_says_is_an_error() {
    let place = |bytes: &[u8], part: &[u8]| {
        let mut windows = bytes.windows(part.len());
        windows.position(|window| window == part).unwrap()
    };
    let all_changed = |changes: &[[&[u8]; 2]]| {
        let mut bytes = PYTHON_2.to_vec();
        for [from, to] in changes {
            let at = place(&bytes, from);
            bytes.splice(at..at + from.len(), to.iter().copied());
        }
        let pickle = read(&bytes, &mut Arrays).unwrap();
        let data = pickle.graph.item(pickle.root, b"data").unwrap();
        pickle.graph.array(data).unwrap_err()
    };
    let changed = |from, to| all_changed(&[[from, to]]);
    let shape = b"K\x01K\x03\x86";
    assert!(changed(shape, b"K\x02K\x03\x86").contains("3 bytes for an array of shape [2, 3]"));
    assert!(changed(shape, b"J\xff\xff\xff\xffK\x03\x86").contains("without a shape"));
    let overflow = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\x03\x86";
    assert!(changed(shape, overflow).contains("3 bytes"));
    assert!(changed(b"U\x02u1", b"U\x02f8").contains("an array of f8"));
    assert!(changed(b"U\x02u1", b"U\x01O").contains("an array of O"));
    assert!(changed(b"U\x03\x01\x02\xfa", b"N").contains("something else than bytes"));
    let data = b"\x89U\x03\x01\x02\xfa";
    let by_columns = [
        [&shape[..], b"K\x02K\x02\x86"],
        [data, b"\x88U\x04\x01\x02\x03\x04"],
    ];
    assert!(all_changed(&by_columns).contains("Fortran"));
}

#[test]
fn functions_that_arrays_do_not_need_are_refused_by_name() {
    for (bytes, name) in [
        (&b"\x80\x02cos\nsystem\n."[..], "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
        (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
        (b"\x80\x02cnumpy\nload\n.", "numpy.load"),
        (
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n.",
            "torch._utils",
        ),
    ] {
        assert!(message(bytes).contains(name), "{}", message(bytes));
    }
    assert!(message(b"\x80\x02NQ.").contains("persistent"));
}

#[test]
fn lengths_are_checked_before_anything_is_taken() {
    for bytes in [
        &b"\x80\x02T\xff\xff\xff\x7fab."[..],
        b"\x80\x03B\xff\xff\xff\xffab.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffab.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.",
        b"\x80\x05\x96\x00\x00\x00\x00\x01\x00\x00\x00ab.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x80\x02K",
        b"\x80\x04\x93.",
        b"\x80\x020.",
        b"\x80\x021.",
        b"\x80\x022.",
        b"\x80\x04(\x90.",
        b"\x80\x04N\x92.",
        b"\x80\x05\x97.",
        b"(dp0\n.",
    ] {
        assert!(!message(bytes).is_empty(), "{bytes:?}");
    }
    assert!(message(b"(dp0\n.").contains("protocol 0"), "as text");
}

#[test]
fn values_are_dropped_doubled_and_kept_in_sets() {
    // 1 doubled, an empty tuple dropped, a mark dropped with what is behind it, a set of 3 and 4, a frozen one of 5.
    let bytes = b"\x80\x04(K\x012)0(N1\x8f(K\x03K\x04\x90(K\x05\x91t.";
    let pickle = read(bytes, &mut Arrays).unwrap();
    let values = pickle.graph.tuple(pickle.root).unwrap();
    assert_eq!(values.len(), 4);
    assert_eq!(pickle.graph.integers(values[2], 9).unwrap(), [3, 4]);
    assert_eq!(pickle.graph.integers(values[3], 9).unwrap(), [5]);
}
