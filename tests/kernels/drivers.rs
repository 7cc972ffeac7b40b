//! The proof of the operators on other drivers than the machine's own: small cases of every one, against the f64 references and their
//! central differences. `alexnet gradcheck --device NAME` has them all.

use verify::operators::{check, gpu, operators};

use super::drivers::{rerun_on_newer_mesa, rerun_on_swiftshader};
use super::{check_cases, no_gpu};

/// What the forward of a case may cost: seconds for all of them on a software driver.
const SMALL_FLOPS: usize = 300_000;

#[test]
fn every_operator_has_a_small_case() {
    for operator in operators() {
        let cases = operator.cases().expect("the case files parse");
        let is_small =
            |case: &dyn verify::operators::Case| case.sizes().forward_flops <= SMALL_FLOPS;
        assert!(
            cases.iter().any(|(_, case)| is_small(&**case)),
            "{}",
            operator.stem
        );
    }
}

#[test]
fn every_operator_holds_on_this_driver() {
    match gpu() {
        Ok(device) => {
            println!("device: {}", device.name());
            check_cases(&device, &[], SMALL_FLOPS, check);
        }
        Err(reason) => no_gpu(&reason),
    }
}

#[test]
fn every_operator_holds_on_swiftshader() {
    rerun_on_swiftshader("drivers_test::every_operator_holds_on_this_driver");
}

#[test]
fn every_operator_holds_on_a_newer_lavapipe() {
    rerun_on_newer_mesa("drivers_test::every_operator_holds_on_this_driver");
}
