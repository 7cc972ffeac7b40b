//! Operators of a program's own: the example on every device, and what a program can get wrong.

use tensor::custom::Custom;
use tensor::{Device, Error, Tensor};

#[path = "../../examples/05_own_operator.rs"]
#[expect(dead_code, reason = "its main")]
mod example;

/// The CPU and, where there is one, a GPU.
fn devices() -> Vec<Device> {
    let gpu = Device::open("gpu");
    assert!(
        gpu.is_ok() || std::env::var_os("REQUIRE_GPU").is_none(),
        "REQUIRE_GPU is set, but no GPU was found"
    );
    [Device::cpu()].into_iter().chain(gpu.ok()).collect()
}

const COPY: Custom = Custom::new(
    "copy",
    "struct Params { n: u32 }
     @group(0) @binding(0) var<uniform> params: Params;
     @group(0) @binding(1) var<storage, read> x: array<f32>;
     @group(0) @binding(2) var<storage, read_write> y: array<f32>;
     @compute @workgroup_size(64)
     fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
         if id.x < params.n { y[id.x] = x[id.x]; }
     }",
    |_, args| {
        let ([x], [y]) = args.split();
        y.copy_from_slice(x);
    },
);

#[test]
fn the_examples_values_and_gradients_are_right_on_every_device() {
    for device in devices() {
        let x = Tensor::from_slice(&device, &[-1.0_f32, 0.0, 2.0], [3]).unwrap();
        let y = example::swish(&x, 1.0).unwrap().to_vec::<f32>().unwrap();
        for (y, x) in y.iter().zip([-1.0_f32, 0.0, 2.0]) {
            let want = x / (1.0 + (-x).exp());
            assert!((y - want).abs() < 1e-6, "{}: {y} at {x}", device.name());
        }
        let findings = example::check(&device).unwrap();
        assert!(
            findings.len() == 1 && findings[0].passed,
            "{}: {findings:?}",
            device.name()
        );
    }
}

#[test]
fn wrong_calls_are_errors() {
    let device = Device::cpu();
    let x = Tensor::from_slice(&device, &[1.0_f32, 2.0], [2]).unwrap();
    let words = Tensor::from_slice(&device, &[1_u32, 2], [2]).unwrap();
    let elsewhere = Tensor::from_slice(&Device::cpu(), &[1.0_f32, 2.0], [2]).unwrap();
    let run = |params: &[u32], reads: &[&Tensor]| COPY.run(params, reads, [2]);

    assert_eq!(
        run(&[2], &[&x]).unwrap().to_vec::<f32>().unwrap(),
        [1.0, 2.0]
    );
    let errors = [
        run(&[2], &[]).unwrap_err(),
        run(&[2; 17], &[&x]).unwrap_err(),
    ];
    assert_eq!(
        errors.map(|error| error.to_string()),
        [
            "copy: reads: expected a tensor at least, got none",
            "copy: params: expected 16 at most, got 17"
        ]
    );
    assert!(matches!(run(&[2], &[&words]), Err(Error::DType { .. })));
    assert!(matches!(
        run(&[2], &[&x, &elsewhere]),
        Err(Error::Device { .. })
    ));
    let rule = |dy: &Tensor| Ok(vec![Some(dy.clone())]);
    assert!(matches!(
        x.with_rule("copy", &[&elsewhere], rule),
        Err(Error::Device { .. })
    ));
    assert!(matches!(
        words.with_rule("copy", &[&x], rule),
        Err(Error::DType { .. })
    ));
    assert!(x.with_rule("copy", &[], rule).is_err(), "no input");
}

/// What the compiler of shaders has to say is an error, and the device stays of use.
#[test]
fn wgsl_that_does_not_fit_is_an_error() {
    for device in devices().into_iter().filter(|device| !device.is_cpu()) {
        let x = Tensor::from_slice(&device, &[1.0_f32, 2.0], [2]).unwrap();
        let long = "struct Params { words: array<vec4<u32>, 5> }
            @group(0) @binding(0) var<uniform> params: Params;
            @group(0) @binding(1) var<storage, read_write> y: array<u32>;
            @compute @workgroup_size(64) fn copy() { y[0] = params.words[4].x; }";
        for (text, says) in [
            ("fn copy( {", "expected"),
            (
                "@compute @workgroup_size(64) fn other() {}",
                "no such entry point",
            ),
            (long, "the uniform has 80 bytes"),
        ] {
            let wrong = Custom::new("copy", text, |_, _| {});
            let error = wrong.run(&[2], &[&x], [2]).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
        // Bound once too often.
        assert!(COPY.run(&[2], &[&x, &x], [2]).is_err());
        let y = COPY.run(&[2], &[&x], [2]).unwrap();
        assert_eq!(y.to_vec::<f32>().unwrap(), [1.0, 2.0]);
    }
}
