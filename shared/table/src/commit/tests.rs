use super::*;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;

fn canceled(codes: &[&str]) -> TransactWriteItemsError {
    let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
    TransactWriteItemsError::TransactionCanceledException(
        TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build(),
    )
}

#[test]
fn the_refusal_is_that_of_the_write_that_failed() {
    assert_eq!(verdict(Some(&canceled(&["None", "ConditionalCheckFailed", "None"]))), Verdict::Refused(1));
}

#[test]
fn a_conflict_is_busy_even_beside_a_refusal() {
    assert_eq!(verdict(Some(&canceled(&["ConditionalCheckFailed", "TransactionConflict"]))), Verdict::Busy);
}

#[test]
fn an_unknown_reason_is_a_fault() {
    assert_eq!(verdict(Some(&canceled(&["ValidationError"]))), Verdict::Unknown);
    assert_eq!(verdict(None), Verdict::Unknown);
}
