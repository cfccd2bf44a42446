"""What the words of the dialects mean: tenders, states of a ticket, codes that are not goods."""

from __future__ import annotations

from connectors.canonical.order import TenderKind

# ARTS TenderType -> canonical kind; anything else is `other` and keeps its name.
TENDER_KINDS: dict[str, TenderKind] = {
    "Cash": "cash",
    "CreditDebit": "card",
    "Check": "check",
    "TravelersCheck": "check",
    "GiftCard": "gift_card",
    "GiftCertificate": "gift_card",
    "StoredValue": "gift_card",
    "StoreCredit": "store_credit",
    "CreditMemo": "store_credit",
    "Voucher": "voucher",
    "Coupon": "voucher",
    "ManufacturerCoupon": "voucher",
    "CustomerAccount": "account",
    "AccountsReceivable": "account",
    "MobilePayment": "wallet",
}

# Transactions that move no goods and no money of customers: archived and counted, not posted.
CONTROL_KINDS = frozenset({
    "ControlTransaction", "TenderControlTransaction", "InventoryControlTransaction",
    "InventoryTransaction", "FuelControlTransaction",
})  # fmt: skip
CONTROL = "skipped.control_transaction"

# Flags on <Transaction> and states of <RetailTransaction> under which nothing was sold.
FLAGS = {
    "TrainingModeFlag": "skipped.training",
    "TrainingFlag": "skipped.training",
    "TestFlag": "skipped.training",
    "CancelFlag": "skipped.voided_ticket",
}
STATES = {
    "Suspended": "skipped.suspended_ticket",
    "SuspendedDeleted": "skipped.suspended_ticket",
    "InProcess": "skipped.suspended_ticket",
    "Voided": "skipped.voided_ticket",
    "Canceled": "skipped.voided_ticket",
    "Cancelled": "skipped.voided_ticket",
    "Failed": "skipped.voided_ticket",
}

# Line items that are goods: +1 sold, -1 taken back.
GOODS = {"Sale": 1, "SaleForDelivery": 1, "SaleForPickup": 1, "Return": -1}

# Why a <TransactionLink> points at another ticket, when it undoes that ticket.
UNDOING_LINKS = frozenset({"Void", "Voided", "PostVoid", "PostVoided", "Return"})

# UN/ECE Recommendation 20 for the units that POSLog writers use.
UNITS = {
    "EA": "EA", "LB": "LBR", "LBS": "LBR", "LBR": "LBR", "OZ": "ONZ", "KG": "KGM", "KGM": "KGM",
    "G": "GRM", "GRM": "GRM", "L": "LTR", "LTR": "LTR",
}  # fmt: skip

# T-log codes for what is no article: the line keeps its code in the title and has no SKU.
# Source: codes without an article number in UCI Online Retail (Chen 2015).
NON_STOCK_CODES = frozenset({
    "AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "POST", "S", "m",
})  # fmt: skip
NON_STOCK_PREFIXES = ("gift_",)
