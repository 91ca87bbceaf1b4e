//! Exchange rates of bitcoin, and amounts in other currencies. Shown for information and tax; no
//! decision of the shop depends on them. Integers only: hundredths ("cents") of a currency.

use std::fmt;

use super::money::Msat;

/// Millisatoshi in one bitcoin.
const MSAT_PER_BTC: u128 = 100_000_000_000;
/// The tax that prices include, in hundredths of a percent.
pub const TAX_RATE: u64 = 1900;

/// A currency: three upper-case letters (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro, which the contract's fields name when nothing else is known.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads three letters, of any case.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        // Only letters get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn sign(&self) -> String {
        match self.code() {
            "EUR" => "\u{20ac}".to_owned(),
            "USD" => "$".to_owned(),
            code => format!("{code} "),
        }
    }

    /// An amount as the contract writes it: `€0.05`.
    pub fn write(&self, cents: u64) -> String {
        format!("{}{}", self.sign(), decimal(cents))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What one bitcoin costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In this currency.
    pub currency: Currency,
    /// So many hundredths.
    pub cents: u64,
}

impl Rate {
    /// What an amount is worth, rounded to the nearest hundredth.
    pub fn cents_of(&self, amount: Msat) -> u64 {
        let product = u128::from(amount.0) * u128::from(self.cents) + MSAT_PER_BTC / 2;
        u64::try_from(product / MSAT_PER_BTC).unwrap_or(u64::MAX)
    }
}

/// The rates that an invoice is shown with; `None` where none was fresh when it was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InvoiceRates {
    /// For taxes.
    pub tax: Option<Rate>,
    /// For information.
    pub info: Option<Rate>,
}

/// The fields of the contract's invoice that depend on rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiatFields {
    /// `tax_currency_ex_rate`
    pub tax_currency_ex_rate: String,
    /// `info_currency_ex_rate`
    pub info_currency_ex_rate: String,
    /// `price_in_tax_currency`
    pub price_in_tax_currency: String,
    /// `tax_in_tax_currency`: the part of the price that is tax.
    pub tax_in_tax_currency: String,
    /// `price_in_info_currency`
    pub price_in_info_currency: String,
    /// `tax_currency_ex_rate_currency`
    pub tax_currency: String,
    /// `info_currency_ex_rate_currency`
    pub info_currency: String,
}

impl InvoiceRates {
    /// The fields for an invoice over `amount`.
    pub fn fields(&self, amount: Msat) -> FiatFields {
        let shown = |rate: Option<Rate>| rate.unwrap_or(Rate { currency: Currency::EUR, cents: 0 });
        let (tax, info) = (shown(self.tax), shown(self.info));
        let price = tax.cents_of(amount);
        // Prices include the tax.
        let part = (price.saturating_mul(TAX_RATE) + (10_000 + TAX_RATE) / 2) / (10_000 + TAX_RATE);
        FiatFields {
            tax_currency_ex_rate: decimal(tax.cents),
            info_currency_ex_rate: decimal(info.cents),
            price_in_tax_currency: tax.currency.write(price),
            tax_in_tax_currency: tax.currency.write(part),
            price_in_info_currency: info.currency.write(info.cents_of(amount)),
            tax_currency: tax.currency.code().to_owned(),
            info_currency: info.currency.code().to_owned(),
        }
    }
}

/// Hundredths with two places: `0.05`.
pub fn decimal(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Which rates are shown. The shop has none when rates are switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRules {
    /// The currency of taxes.
    pub tax: Currency,
    /// The currency for information.
    pub info: Currency,
    /// A rate that is older is not used. Seconds.
    pub max_age_secs: i64,
}

impl RateRules {
    /// The currencies, each once.
    pub fn currencies(&self) -> Vec<Currency> {
        if self.tax == self.info { vec![self.tax] } else { vec![self.tax, self.info] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(code: &str, cents: u64) -> Option<Rate> {
        Some(Rate { currency: Currency::parse(code).unwrap(), cents })
    }

    #[test]
    fn prices_are_rounded_to_the_nearest_cent() {
        let rate = rate("eur", 9_000_000).unwrap();
        assert_eq!(rate.cents_of(Msat(25_000)), 2, "2.25 cents");
        assert_eq!(rate.cents_of(Msat(5_555)), 0, "0.49995 cents");
        assert_eq!(rate.cents_of(Msat(5_556)), 1, "0.50004 cents");
        assert_eq!(rate.cents_of(Msat(u64::MAX)), 1_660_206_966_633_860, "no overflow");
    }

    #[test]
    fn the_fields_name_rate_price_and_the_tax_that_the_price_includes() {
        let rates = InvoiceRates { tax: rate("EUR", 9_123_450), info: rate("USD", 10_000_000) };
        let fields = rates.fields(Msat(25_000_000));
        assert_eq!(fields.tax_currency_ex_rate, "91234.50");
        assert_eq!((fields.price_in_tax_currency.as_str(), fields.tax_in_tax_currency.as_str()), ("€22.81", "€3.64"));
        assert_eq!((fields.price_in_info_currency.as_str(), fields.info_currency.as_str()), ("$25.00", "USD"));
    }

    #[test]
    fn without_rates_the_fields_are_those_of_the_contract() {
        let fields = InvoiceRates::default().fields(Msat(25_000));
        assert_eq!((fields.tax_currency_ex_rate.as_str(), fields.price_in_info_currency.as_str()), ("0.00", "€0.00"));
        assert_eq!((fields.tax_currency.as_str(), fields.info_currency.as_str()), ("EUR", "EUR"));
    }

    #[test]
    fn a_currency_has_three_letters() {
        assert_eq!(Currency::parse("usd").map(|currency| currency.code().to_owned()), Some("USD".to_owned()));
        assert_eq!((Currency::parse("EURO"), Currency::parse("E1R"), Currency::parse("")), (None, None, None));
    }

    #[test]
    fn the_tax_is_rounded_to_the_nearest_cent_as_the_price_is() {
        let rates = InvoiceRates { tax: rate("EUR", 9_000_000), info: None };
        for (amount, price, tax) in
            [(33_333, "€0.03", "€0.00"), (44_444, "€0.04", "€0.01"), (144_444, "€0.13", "€0.02")]
        {
            let fields = rates.fields(Msat(amount));
            assert_eq!((fields.price_in_tax_currency.as_str(), fields.tax_in_tax_currency.as_str()), (price, tax));
        }
    }
}
