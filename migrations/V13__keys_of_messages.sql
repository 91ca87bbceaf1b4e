-- What an order says is kept as a key, so that it can be told in any language; what has none stays as the text that
-- it is. The sentences are those that shops have written until now.
UPDATE purchase_order SET message = CASE
    WHEN message = 'Checking whether the target can be reached; the invoice follows.' THEN 'probing'
    WHEN message = 'Checking whether the host''s port is free; the invoice follows.' THEN 'port_trial'
    WHEN message = 'Paid, waiting for the host. The payment is only taken once the host has delivered.' THEN 'held'
    WHEN message = 'The invoice was not paid in time and is being cancelled.' THEN 'expiring'
    WHEN message = 'The invoice was not paid in time and has been cancelled. Nothing was charged.' THEN 'expired'
    WHEN message = 'A newer order has taken the place of this one, whose invoice is being cancelled.' THEN 'being_replaced'
    WHEN message = 'A newer order has taken the place of this one. Nothing was charged.' THEN 'replaced'
    WHEN message = 'The operator has switched this product off. The invoice is being cancelled.' THEN 'switching_off'
    WHEN message = 'The operator has switched this product off. Nothing was charged.' THEN 'switched_off'
    WHEN message = 'The operator has switched this product off. The payment is being given back.' THEN 'switching_off_held'
    WHEN message = 'The operator has switched this product off. The payment was cancelled, the money is back in your wallet.' THEN 'switched_off_held'
    WHEN message = 'The host did not deliver in time. The payment is being given back.' THEN 'returning'
    WHEN message = 'The host did not deliver in time. The payment was cancelled, the money is back in your wallet.' THEN 'returned'
    WHEN message = 'The host has reported that it can''t deliver. The payment is being given back.' THEN 'hold_failing'
    WHEN message = 'The host has reported that it can''t deliver. The payment was cancelled, the money is back in your wallet.' THEN 'hold_failed'
    WHEN message = 'The payment could not be accepted (too little, or too close to its deadline). It is being given back.' THEN 'hold_being_refused'
    WHEN message = 'The payment could not be accepted (too little, or too close to its deadline). It was cancelled, the money is back in your wallet.' THEN 'hold_refused'
    WHEN message = 'The product can''t be delivered any more. The payment is being given back.' THEN 'hold_becoming_hopeless'
    WHEN message = 'The product can''t be delivered any more. The payment was cancelled, the money is back in your wallet.' THEN 'hold_hopeless'
    WHEN message = 'The host has nothing free for it any more. The payment is being given back.' THEN 'hold_being_unplaced'
    WHEN message = 'The host has nothing free for it any more. The payment was cancelled, the money is back in your wallet.' THEN 'hold_unplaced'
    WHEN message = 'The invoice was cancelled at the shop''s Lightning node before it was paid. Nothing was charged.' THEN 'cancelled_elsewhere'
    WHEN message = 'The payment was cancelled at the shop''s Lightning node before it could be taken. That was not the host''s doing. The money is back in your wallet.' THEN 'hold_lost'
    WHEN message = 'The shop''s Lightning node no longer knows this invoice, so it is not known whether it was paid. The operator has been told. If you have paid, ask for a refund.' THEN 'vanished'
    WHEN message = 'The shop''s Lightning node could not make an invoice. Nothing was charged; please try again later.' THEN 'no_invoice'
    WHEN message = 'This target (or your address) is on the deny list of this shop. Please contact the operator if this is a mistake.' THEN 'denied'
    WHEN message = 'The current host does not have any Tor bridge ports available. Nothing was charged.' THEN 'no_ports'
    WHEN message = 'The host''s ports can''t be checked at the moment. Nothing was charged; please try again later.' THEN 'ports_unchecked'
    WHEN message = 'Paid, but the host has not delivered. The operator has been told and owes you a refund; a late delivery is still possible.' THEN 'undelivered'
    WHEN message = 'Less was received than asked. The operator has been told and owes you a refund.' THEN 'underpaid'
    WHEN message = 'Paid, but the product can''t be delivered any more. The operator has been told and owes you a refund.' THEN 'undeliverable'
    WHEN message = 'It was paid more than once. The operator has been told and owes you a refund of what was not paid back yet.' THEN 'paid_again'
    WHEN message = 'Delivered too late. The operator takes it back and owes you a refund.' THEN 'late_returned'
    WHEN message = 'The payment was refunded.' THEN 'refunded'
    WHEN message = 'Delivered ' || late_secs || ' seconds after it was paid.' THEN 'delivered_late: ' || late_secs
    WHEN message LIKE 'Warning: %.' THEN 'target_warned: ' || substr(message, 10, length(message) - 10)
    WHEN message LIKE '%. Nothing was charged.' THEN 'target_refused: ' || substr(message, 1, length(message) - 22)
    ELSE message
END
WHERE message IS NOT NULL;
