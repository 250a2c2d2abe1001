//! The protocol mark / call / store / adopt / delete, searched exhaustively: breadth first through every order of
//! steps of a few CRs and one or two replicas, with crashes, answers that are lost, effects that come late, watches that
//! are behind, people who delete and change things, and a lease that moves while its old holder still has a call in
//! flight. The decisions are the real ones: `model::plan::plan`, `model::protocol::create_after` and
//! `model::protocol::covers`.
//!
//! Two campaigns side by side are in `campaigns`, ad groups and ads in what they are in are in `tree`, ad groups that
//! share a bid are in `siblings`.
//!
//! Bounds (each variant states its own numbers): crashes, unclear answers, lease moves, and what people do are counted;
//! time is in epochs of 30 s and ends some epochs after the last thing that can wait; a late effect comes at the latest
//! before `deadline + 60 s`, which is what R11 assumes of the platform. In every state the rules of `check::state` are
//! asked, in every step those of `step` and `create`, and from every state the run in which nothing more goes wrong is
//! followed to its end (`check::last`).
//!
//! Not in here: edits of the spec but for bids, `externalId`, modes, the lost status or record, lists that are late or
//! incomplete, reviews, throttling and waiting after errors. The simulation has those.

mod breadth;
mod campaigns;
mod check;
mod create;
mod facts;
mod pack;
mod people;
mod question;
mod step;
mod tree;
mod variant;
mod world;

use breadth::{Quick, holds};
