//! When faults strike, and how they are told to.

use super::*;

#[test]
fn a_counted_fault_strikes_so_often_and_then_no_more() {
    let faults = Faults::default();
    faults.next("AddInvoice", Fault::Unavailable, 2);
    assert_eq!(faults.strike("GetInfo"), []);
    assert_eq!(faults.strike("AddInvoice"), [Fault::Unavailable]);
    assert_eq!(faults.strike("AddInvoice"), [Fault::Unavailable]);
    assert_eq!(faults.strike("AddInvoice"), []);
}

#[test]
fn a_fault_for_all_strikes_every_call_until_cleared() {
    let faults = Faults::default();
    faults.always("all", Fault::LoseAnswer);
    assert_eq!(faults.strike("GetInfo"), [Fault::LoseAnswer]);
    assert_eq!(faults.strike("AddInvoice"), [Fault::LoseAnswer]);
    faults.clear();
    assert_eq!(faults.strike("AddInvoice"), []);
}

#[test]
fn instructions_are_read_as_the_help_writes_them() {
    let three = Rule { method: Some("AddInvoice".to_owned()), fault: Fault::Unavailable, times: Some(3) };
    assert_eq!("AddInvoice:unavailable:3".parse(), Ok(Instruction::Rule(three)));
    let slow = Rule { method: None, fault: Fault::Slow(Duration::from_millis(500)), times: None };
    assert_eq!("all:slow=500".parse(), Ok(Instruction::Rule(slow)));
    assert_eq!("chain:height=7".parse(), Ok(Instruction::Height(7)));
    let balance = Instruction::Balance { local_sat: 1, remote_sat: 2 };
    assert_eq!("balance:1/2".parse(), Ok(balance));
    assert!("AddInvoice".parse::<Instruction>().is_err());
    assert!("AddInvoice:explode".parse::<Instruction>().is_err());
    assert!("all:slow=soon:1".parse::<Instruction>().is_err());
}
