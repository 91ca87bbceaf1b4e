//! Pictures of payment requests: QR codes, made when they are asked for. Nothing is stored.

use std::sync::Arc;

use http::header;
use poem::{Request, Response};
use qrcode::{Color, EcLevel, QrCode};

use super::App;
use super::problem::Problem;
use crate::domain::id::OrderId;
use crate::services::orders;

/// Pixels per module.
const SCALE: usize = 6;
/// Modules of white around the code, as the standard asks.
const MARGIN: usize = 4;

/// The picture of an invoice: `qr_<id>.png`.
pub fn qr_image(app: &Arc<App>, request: &Request) -> Result<Response, Problem> {
    let file = request.raw_path_param("file").unwrap_or_default();
    let id = file.strip_prefix("qr_").and_then(|rest| rest.strip_suffix(".png")).and_then(OrderId::parse);
    let view = orders::view(&app.shop, id.ok_or_else(Problem::not_found)?)?;
    let text = view.purchase.invoice.payment_request.ok_or_else(Problem::not_found)?;
    let picture = png_of(&text).map_err(|error| Problem::internal(&error))?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "image/png")
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .body(picture))
}

/// A PNG picture (one bit per pixel) of a payment request. Upper case makes the code smaller, and
/// BOLT11 knows no case.
fn png_of(payment_request: &str) -> Result<Vec<u8>, String> {
    let text = payment_request.to_ascii_uppercase();
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|error| error.to_string())?;
    let (modules, colors) = (code.width(), code.to_colors());
    let side = (modules + 2 * MARGIN) * SCALE;
    let is_dark = |x: usize, y: usize| {
        let module = |pixel: usize| (pixel / SCALE).checked_sub(MARGIN).filter(|module| *module < modules);
        matches!((module(x), module(y)), (Some(x), Some(y)) if colors[y * modules + x] == Color::Dark)
    };
    let mut rows = vec![0_u8; side.div_ceil(8) * side];
    for y in 0..side {
        for x in 0..side {
            if !is_dark(x, y) {
                rows[y * side.div_ceil(8) + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
    let mut picture = Vec::new();
    let side = u32::try_from(side).map_err(|error| error.to_string())?;
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(&rows).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::png_of;

    #[test]
    fn the_picture_is_a_png_with_a_white_margin() {
        let picture = png_of("lnbc250n1ppet26sl62nwwgeumdp645nt4lay79lj8q9y4m006skhds5v35w9c0").expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("an image");
        assert_eq!(pixels[0], 0xff, "white in the corner");
        assert!(pixels.contains(&0), "dark modules inside");
    }
}
