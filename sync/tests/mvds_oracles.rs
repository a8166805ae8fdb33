//! Numbers that a correct MVDS reproduces under loss, with real nodes, and the traps into which earlier simulators
//! of it fell.
//!
//! The model behind the numbers: a payload arrives with chance p, independently of all others; a record that is
//! not answered is repeated in every epoch; a payload takes one epoch. Then each of OFFER, REQUEST and MESSAGE takes
//! 1/p epochs, a delivery 3/p; and a MESSAGE is repeated until one copy *and* the ACK of it arrive, 1/p² times.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::Story;
use offerbench_algos::{Rng, Seed};
use offerbench_sync::{Backoff, Config, Kind, Links, MsgNo, Node, Offer, OnHave, PeerId, Reconcile, Span};

const EPOCH: Span = Span::from_ms(100);
const FIRST: MsgNo = MsgNo(0);

/// Every record is repeated in every epoch.
fn restless() -> Config {
    let mut config = Config {
        epoch: EPOCH,
        backoff: Backoff { first: 1, longest: 1, again: 1 },
        offer: Offer::Interactive,
        ..Config::default()
    };
    config.limits.request_sends_max = u32::MAX;
    config
}

/// One message over a wire on which a payload arrives with a chance of one in `odds`.
struct Trial {
    delivered_epochs: f64,
    message_sends: u64,
}

fn trial(config: &Config, odds: u64, rng: &mut Rng) -> Trial {
    let mut story = Story::new(2, config.clone());
    story.latency = EPOCH;
    let mut checked = 0;
    let mut lose = |story: &mut Story| {
        // What was sent since the last time is at the end of the wire.
        let fresh = (story.sent - checked) as usize;
        checked = story.sent;
        let old = story.wire.len() - fresh;
        let mut place = 0;
        story.wire.retain(|_| {
            place += 1;
            place <= old || rng.below(odds) == 0
        });
    };
    story.write(0, "hello");
    lose(&mut story);
    let mut delivered = None;
    while !story.nodes[0].is_settled() {
        assert!(story.step());
        lose(&mut story);
        if delivered.is_none() && story.nodes[1].holds(FIRST) {
            delivered = Some(story.now);
        }
    }
    Trial {
        delivered_epochs: delivered.unwrap().as_us() as f64 / EPOCH.as_us() as f64,
        message_sends: story.nodes[0].stats().sent(Kind::Message).count,
    }
}

#[test]
fn a_delivery_takes_three_over_p_epochs_and_a_message_is_sent_one_over_p_squared_times() {
    let (config, mut rng) = (restless(), Seed::new(5).rng());
    let trials = 3000;
    let (mut epochs, mut sends) = (0.0, 0.0);
    for _ in 0..trials {
        let trial = trial(&config, 10, &mut rng);
        epochs += trial.delivered_epochs / f64::from(trials);
        sends += trial.message_sends as f64 / f64::from(trials);
    }
    // Three geometric waits: deviation √(3(1−p))/p = 16.4 a trial, 0.3 of the mean; four of them.
    assert!((28.8..31.2).contains(&epochs), "{epochs} epochs");
    // Geometric with p²: deviation 99.5 a trial, 1.8 of the mean; four of them. A message that is on its way when
    // the ACK is, too, adds the two epochs of a round trip.
    assert!((100.0 - 7.3..102.0 + 7.3).contains(&sends), "{sends} sends");
}

#[test]
fn backing_off_saves_sends_and_costs_epochs() {
    let mut rng = Seed::new(6).rng();
    let backing_off = Config { backoff: Backoff { first: 1, longest: 64, again: 8 }, ..restless() };
    let mean = |config: &Config, rng: &mut Rng| {
        let trials: Vec<Trial> = (0..300).map(|_| trial(config, 10, rng)).collect();
        let epochs: f64 = trials.iter().map(|trial| trial.delivered_epochs).sum();
        let sends: u64 = trials.iter().map(|trial| trial.message_sends).sum();
        (epochs / 300.0, sends as f64 / 300.0)
    };
    let (epochs, sends) = mean(&restless(), &mut rng);
    let (epochs_off, sends_off) = mean(&backing_off, &mut rng);
    assert!(epochs_off > 3.0 * epochs, "{epochs_off} {epochs}");
    assert!(sends_off < sends, "{sends_off} {sends}");
}

/// Trap: "offline" modelled as loss of each payload. Somebody who is away nine minutes of ten gets a message
/// within some flights of coming back; somebody who loses nine payloads of ten needs 3/p epochs.
#[test]
fn an_outage_is_not_a_loss_of_each_payload() {
    let mut config = restless();
    config.backoff = Backoff { first: 4, longest: 4, again: 4 };
    let mut story = Story::new(2, config);
    story.nodes[1].handle_offline(story.now);
    let mut waits = Vec::new();
    for cycle in 0..20_u32 {
        let no = story.write(0, &cycle.to_string());
        let away_until = story.now + EPOCH.times(90);
        while story.next().is_some_and(|next| next < away_until) {
            story.wire.retain(|flying| flying.to != PeerId(1));
            story.step();
        }
        story.wire.retain(|flying| flying.to != PeerId(1));
        story.now = away_until;
        story.nodes[1].handle_online(story.now);
        while !story.nodes[1].holds(no) {
            assert!(story.step());
        }
        waits.push(story.now.since(away_until).as_us() / EPOCH.as_us());
        story.until(away_until + EPOCH.times(10));
        story.nodes[1].handle_offline(story.now);
    }
    // Until the next OFFER, four epochs; three flights of half an epoch.
    assert!(waits.iter().all(|wait| *wait <= 8), "{waits:?}");
}

fn ring_and_chords(n: u32) -> Links {
    let mut pairs: Vec<(u32, u32)> = (0..n).map(|a| (a, (a + 1) % n)).collect();
    pairs.extend((0..n / 2).map(|a| (a, a + n / 2)));
    let pairs: std::collections::BTreeSet<(u32, u32)> =
        pairs.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
    Links::from_pairs(n as usize, pairs).unwrap()
}

/// Trap: whoever receives a message offers it on to all but the sender, so a message costs about N·K offers
/// however few need it. A peer that has offered it, or sent it, is not offered it again here, and with a
/// reconciliation strategy that pushes there is no OFFER at all.
#[test]
fn offers_of_a_message_are_bounded_by_the_links() {
    let links = ring_and_chords(20);
    let pairs: Vec<(u32, u32)> = links.pairs().collect();
    let run = |offer: Offer| {
        let config = common::config(offer);
        let mut story = Story::of(vec![config; 20], |a, b| pairs.contains(&(a, b)));
        story.settle();
        story.write(3, "to all");
        story.settle();
        assert!(story.nodes.iter().all(|node| node.holds(FIRST)));
        story.stats()
    };
    let stats = run(Offer::Interactive);
    let offers = stats.sent(Kind::Offer).count;
    assert!(offers >= 19 && offers <= 2 * pairs.len() as u64, "{offers} offers over {} links", pairs.len());
    assert_eq!((stats.sent(Kind::Message).count, stats.redundant), (19, 0));
    let reconciled =
        run(Offer::Reconcile(Reconcile { on_have: OnHave::Push, ..Reconcile::new("offers").unwrap() }));
    assert_eq!(reconciled.sent(Kind::Offer).count, 0);
}

/// Trap: answers were only possible to peers that one shares with oneself. Links are usable both ways: whoever
/// chose whom, both give and both ask.
#[test]
fn a_link_serves_both_ways_whoever_chose_it() {
    let links = Links::from_pairs(3, [(0, 1), (1, 2)]).unwrap();
    for offer in [Offer::Batch, Offer::Interactive, common::reconcile("range")] {
        let pairs: Vec<(u32, u32)> = links.pairs().collect();
        let mut story = Story::of(vec![common::config(offer); 3], |a, b| pairs.contains(&(a, b)));
        for writer in [0, 2, 1] {
            let no = story.write(writer, &writer.to_string());
            story.settle();
            assert!(story.nodes.iter().all(|node| node.holds(no)));
        }
    }
}

/// Nothing that is settled wakes up again for its own sake: an idle MVDS sends nothing, an idle strategy one session
/// an interval.
#[test]
fn idle_costs_what_the_schedule_says() {
    for offer in [Offer::Batch, Offer::Interactive] {
        let mut story = Story::new(2, common::config(offer));
        story.write(0, "hello");
        story.settle();
        assert_eq!(story.nodes.iter().find_map(Node::poll_timeout), None);
    }
    let mut story = Story::new(2, common::config(common::reconcile("range")));
    story.write(0, "hello");
    story.settle();
    let before = story.stats().sessions_done;
    story.until(story.now + Span::from_s(3000));
    // Both ends count; the interval is 300 s.
    let sessions = (story.stats().sessions_done - before) / 2;
    assert!((9..=10).contains(&sessions), "{sessions}");
    assert_eq!(story.stats().redundant, 0);
}
