//! Whoever asks, as the shop knows them: their password and their second factor.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Deleted, Reply};
use super::body::Body;
use super::context::Context;
use super::signed::{Signed, SignedInPerson, Via};
use super::tag::Tag;
use crate::http::contract::dto::Nullable;
use crate::http::media::png_of;
use crate::http::problem::Problem;
use crate::services::operators::{second_factor, sessions};

/// Whoever has signed in.
pub struct Me;

/// Who has signed in.
#[derive(Serialize, Object)]
pub struct MeView {
    /// Their number, the `owner` of hosts.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// `administrator` or `operator`.
    pub role: String,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes: u32,
    /// What changes have to show in the header `X-CSRF-Token`; null without a session.
    pub csrf_token: Nullable<String>,
}

/// A new password.
#[derive(Object)]
pub struct PasswordBody {
    /// The present one.
    old_password: String,
    /// The new one, of at least ten characters.
    password: String,
}

/// The present password, shown again before something that only its owner may do.
#[derive(Object)]
pub struct ConfirmBody {
    /// The present password.
    old_password: String,
}

/// A code of the authenticator app.
#[derive(Object)]
pub struct CodeBody {
    /// Six digits.
    code: String,
}

/// What an authenticator app is told.
#[derive(Serialize, Object)]
pub struct EnrolmentView {
    /// The secret, for those who type it.
    pub secret: String,
    /// The same as a link (`otpauth://…`).
    pub uri: String,
    /// The link as a QR code, a PNG in a `data:` URI.
    pub qr: String,
}

/// Recovery codes, told this once.
#[derive(Serialize, Object)]
pub struct RecoveryCodes {
    /// Each signs in once in place of a code of the app.
    pub recovery_codes: Vec<String>,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Me {
    /// Who has signed in
    #[oai(path = "/me/", method = "get", operation_id = "admin_me_read")]
    async fn read(&self, context: &Context, signed: Signed) -> Answer<Reply<MeView>> {
        let Signed { by, operator, via } = signed;
        let recovery_codes = context.shop().read(&by, |tx| second_factor::recovery_codes(tx, operator.id))?;
        let csrf_token = match via {
            Via::Session { key, .. } => Some(sessions::csrf_token(&key)),
            Via::Token(_) | Via::Password => None,
        };
        Ok(Reply(MeView {
            id: operator.id.0,
            name: operator.name,
            role: operator.role.name().to_owned(),
            has_second_factor: operator.has_second_factor,
            recovery_codes,
            csrf_token: Nullable(csrf_token),
        }))
    }

    /// Change the own password
    ///
    /// All other sessions end.
    #[oai(path = "/me/password/", method = "post", operation_id = "admin_me_password_create")]
    async fn change_password(
        &self,
        context: &Context,
        signed: SignedInPerson,
        body: Body<PasswordBody>,
    ) -> Answer<Deleted> {
        let (signed, app) = (signed.0, &context.app);
        let PasswordBody { old_password, password } = body.0;
        let from = (&*context.origin.client.label(), signed.session());
        app.logins
            .change_password(context.shop(), &app.auth, &signed.operator, (&old_password, password), from)
            .await?;
        Ok(Deleted)
    }

    /// Ask for a second factor
    ///
    /// Nothing changes until a code is confirmed.
    #[oai(path = "/me/second-factor/", method = "post", operation_id = "admin_me_second_factor_create")]
    async fn ask(
        &self,
        context: &Context,
        signed: SignedInPerson,
        body: Body<ConfirmBody>,
    ) -> Answer<Reply<EnrolmentView>> {
        confirm(context, &signed.0, &body.0).await?;
        let (id, random) = (signed.0.operator.id, context.shop().random.clone());
        let made = context.shop().tx(&signed.0.by, move |tx| second_factor::ask(tx, &*random, id)).await?;
        let picture = png_of(&made.uri).map_err(|error| Problem::internal(&error))?;
        let qr = format!("data:image/png;base64,{}", STANDARD.encode(picture));
        Ok(Reply(EnrolmentView { secret: made.secret, uri: made.uri, qr }))
    }

    /// Confirm a second factor
    ///
    /// From here on it is asked for. The recovery codes are told this once; those of before end.
    #[oai(path = "/me/second-factor/confirm/", method = "post", operation_id = "admin_me_second_factor_confirm")]
    async fn confirm(
        &self,
        context: &Context,
        signed: SignedInPerson,
        body: Body<CodeBody>,
    ) -> Answer<Reply<RecoveryCodes>> {
        let (id, random, code) = (signed.0.operator.id, context.shop().random.clone(), body.0.code);
        let made = context.shop().tx(&signed.0.by, move |tx| second_factor::confirm(tx, &*random, id, &code));
        Ok(Reply(RecoveryCodes { recovery_codes: made.await? }))
    }

    /// Remove the second factor
    #[oai(path = "/me/second-factor/remove/", method = "post", operation_id = "admin_me_second_factor_remove")]
    async fn remove(&self, context: &Context, signed: SignedInPerson, body: Body<ConfirmBody>) -> Answer<Deleted> {
        confirm(context, &signed.0, &body.0).await?;
        let id = signed.0.operator.id;
        context.shop().tx(&signed.0.by, move |tx| second_factor::remove(tx, id)).await?;
        Ok(Deleted)
    }
}

async fn confirm(context: &Context, signed: &Signed, body: &ConfirmBody) -> Result<(), Problem> {
    let (app, client) = (&context.app, context.origin.client.label());
    app.logins.confirm(context.shop(), &app.auth, &signed.operator, &body.old_password, &client).await?;
    Ok(())
}
