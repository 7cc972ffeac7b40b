//! Tests of the schedules and of the plateau.

use super::*;

#[test]
fn warmup_meets_what_follows_it() {
    let schedule = Schedule::Warmup {
        start: 0.1,
        warmup: 4,
        then: Box::new(Schedule::Step {
            every: 2,
            gamma: 0.5,
        }),
    };
    let rates: Vec<f64> = (0..8).map(|t| schedule.rate(1.0, t)).collect();
    let expected = [0.1, 0.325, 0.55, 0.775, 1.0, 1.0, 0.5, 0.5];
    for (t, (got, want)) in rates.iter().zip(expected).enumerate() {
        assert!(
            (got - want).abs() < 1e-12,
            "step {t}: {got}, expected {want}"
        );
    }
}

#[test]
fn one_cycle_starts_peaks_and_ends_where_it_should() {
    let cycle = OneCycle {
        max_rate: 0.4,
        steps: 40,
        rising_share: 0.3,
        start_divisor: 25.0,
        end_divisor: 1e4,
        is_cosine: true,
        has_three_phases: false,
    };
    for (t, want) in [(0, 0.016), (11, 0.4), (39, 1.6e-6)] {
        let got = Schedule::OneCycle(cycle).rate(0.1, t);
        assert!(
            (got - want).abs() < 1e-12,
            "step {t}: {got}, expected {want}"
        );
    }
}

#[test]
fn a_plateaus_state_survives_json_bit_for_bit() {
    let mut state = Plateau::default().start(0.1 + 0.2);
    for best in [state.best, 1.0 / 3.0, f64::MIN_POSITIVE, f64::NEG_INFINITY] {
        state.best = best;
        let json = serde_json::to_string(&state).unwrap();
        let again: PlateauState = serde_json::from_str(&json).unwrap();
        let bits = |state: PlateauState| [state.rate, state.best].map(f64::to_bits);
        assert_eq!(bits(again), bits(state), "{json}");
    }
    let nan = r#"{"rate":"NaN","best":"1","bad":0,"cooling":0}"#;
    assert!(serde_json::from_str::<PlateauState>(nan).is_err());
}

#[test]
fn a_plateau_waits_reduces_and_cools() {
    let plateau = Plateau {
        patience: 1,
        cooldown: 2,
        ..Plateau::default()
    };
    let mut state = plateau.start(1.0);
    let reduced: Vec<bool> = (0..8).map(|_| plateau.observe(&mut state, 1.0)).collect();
    let expected = [false, false, true, false, false, false, true, false];
    assert_eq!(reduced, expected, "the first is an improvement");
    assert!((state.rate - 0.01).abs() < 1e-12, "two reductions");
}
