//! `doctor`: checks the installation, one line each.

use clap::Args as ClapArgs;

use super::data::DataArgs;
use super::failure::Failure;
use super::output::Output;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: &Args, _output: &Output) -> Result<(), Failure> {
    args.data.load()?;
    Err(Failure::not_available("doctor"))
}
