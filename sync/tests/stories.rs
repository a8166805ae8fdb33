//! Short stories of two or three nodes: what happens, in order, and what it costs.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::{GROUP, Story, config, reconcile};
use offerbench_sync::{
    Acks, Backoff, Config, Delivery, Kind, MsgNo, Node, NodeEvent, Offer, OnHave, Part, PeerId, Reconcile,
    Refusal, Requests, Span, Time,
};

#[test]
fn a_lossless_interactive_delivery_costs_108_bytes_of_control() {
    let mut story = Story::new(2, config(Offer::Interactive));
    let no = story.write(0, "hello");
    story.settle();
    assert_eq!((story.delivered(0, no), story.delivered(1, no)), (1, 1));
    assert_eq!(story.control_bytes(), 108);
    let stats = story.stats();
    assert_eq!([Kind::Offer, Kind::Request, Kind::Ack].map(|kind| stats.sent(kind).count), [1, 1, 1]);
    assert_eq!((story.sent, stats.resends), (4, 0));
}

#[test]
fn a_batch_delivery_costs_a_message_and_an_ack() {
    let mut story = Story::new(2, config(Offer::Batch));
    let no = story.write(0, "hello");
    story.settle();
    assert_eq!((story.delivered(1, no), story.control_bytes(), story.sent), (1, 36, 2));
}

#[test]
fn each_record_is_repeated_until_it_is_answered() {
    let mut story = Story::new(2, config(Offer::Interactive));
    let no = story.write(0, "hello");
    // OFFER, REQUEST, MESSAGE and ACK are lost once each.
    for record in 0..4 {
        let lost = story.wire.pop_front().unwrap().sync();
        let counts = [lost.offers.len(), lost.requests.len(), lost.messages.len(), lost.acks.len()];
        assert_eq!(counts, std::array::from_fn(|i| usize::from(i == record)));
        while story.wire.is_empty() {
            assert!(story.step());
        }
        // The repeated one arrives, and its answer is the next to be lost.
        if record == 3 {
            break;
        }
        let before = story.sent;
        while story.sent == before {
            assert!(story.step());
        }
    }
    story.settle();
    assert_eq!(story.delivered(1, no), 1);
    assert_eq!(story.stats().redundant, 1);
}

#[test]
fn a_payload_that_comes_twice_is_delivered_once() {
    let mut story = Story::new(2, config(Offer::Batch));
    let no = story.write(0, "hello");
    let first = story.wire.pop_front().unwrap();
    for _ in 0..3 {
        let node = &mut story.nodes[1];
        node.handle_payload(&mut story.library, first.at, first.from, &first.bytes).unwrap();
    }
    story.now = first.at;
    story.collect();
    story.settle();
    assert_eq!((story.delivered(1, no), story.stats().redundant), (1, 2));
}

#[test]
fn one_payload_a_peer_an_epoch() {
    let mut story = Story::new(2, config(Offer::Batch));
    for n in 0..50 {
        story.write(0, &n.to_string());
    }
    assert_eq!(story.wire.len(), 1);
    story.settle();
    // The first message alone, the other 49 in the next epoch; two acks.
    assert_eq!(story.sent, 4);
    assert_eq!(story.nodes[1].held(), 50);
}

#[test]
fn a_parent_is_requested_before_its_child_is_delivered() {
    let causal = Config { delivery: Delivery::Causal, ..config(Offer::Batch) };
    let mut story = Story::new(2, causal);
    let parent = story.write(0, "question");
    story.lose_all();
    story.until(Time::ZERO + Span::from_ms(150));
    let child = story.write(0, "answer");
    story.until(Time::ZERO + Span::from_ms(250));
    assert!(story.nodes[1].holds(child) && !story.nodes[1].has_delivered(child));
    assert_eq!(story.stats().sent(Kind::Request).count, 1);
    story.settle();
    let order: Vec<&NodeEvent> =
        story.events.iter().filter(|(node, _)| *node == PeerId(1)).map(|(_, event)| event).collect();
    let delivered = |message| NodeEvent::Delivered { group: GROUP, message };
    assert_eq!(order[..2], [&delivered(parent), &delivered(child)]);
}

#[test]
fn eventual_delivery_does_not_wait() {
    let mut story = Story::new(2, config(Offer::Batch));
    let parent = story.write(0, "question");
    story.lose_all();
    story.until(Time::ZERO + Span::from_ms(150));
    let child = story.write(0, "answer");
    story.until(Time::ZERO + Span::from_ms(250));
    assert_eq!((story.delivered(1, parent), story.delivered(1, child)), (0, 1));
    assert_eq!(story.library.message(child).parents.as_ref().unwrap().len(), 1);
}

#[test]
fn a_full_receive_buffer_refuses_and_recovers() {
    let mut causal = Config { delivery: Delivery::Causal, ..config(Offer::Batch) };
    causal.limits.waiting_max = 2;
    causal.backoff.first = 32;
    let mut story = Story::new(2, causal);
    let first = story.write(0, "0");
    story.lose_all();
    for n in 1..10 {
        // The other's requests for what it lacks are lost.
        while story.next().is_some_and(|next| next <= Time::ZERO + Span::from_ms(n * 150)) {
            story.step();
            story.wire.retain(|flying| flying.from == PeerId(0));
        }
        story.now = Time::ZERO + Span::from_ms(n * 150);
        story.write(0, &n.to_string());
        assert_eq!(story.nodes[1].over_bounds(), None);
    }
    assert!(!story.nodes[1].holds(first));
    assert!(story.nodes[1].stats().refused(Refusal::WaitingFull) > 0);
    story.settle();
    assert_eq!(story.nodes[1].held(), 10);
    assert_eq!((0..10).map(|no| story.delivered(1, MsgNo(no))).sum::<usize>(), 10);
}

#[test]
fn a_small_backlog_is_filled_again_until_all_is_given() {
    for offer in [Offer::Batch, Offer::Interactive, reconcile("range")] {
        let mut small = config(offer);
        small.limits.backlog_max = 5;
        let mut story = Story::new(2, small);
        for n in 0..40 {
            story.write(0, &n.to_string());
        }
        story.settle();
        assert_eq!(story.nodes[1].held(), 40);
        assert!(story.nodes[0].stats().refused(Refusal::BacklogFull) > 0);
    }
}

#[test]
fn ephemeral_messages_leave_no_trace() {
    let mut story = Story::new(2, config(Offer::Interactive));
    story.nodes[0].send_ephemeral(GROUP, b"is typing");
    story.nodes[1].send_ping(PeerId(0), 5);
    story.collect();
    assert_eq!(story.wire.len(), 2);
    assert_eq!(story.wire[0].bytes.len(), 1 + 32 + 9);
    story.settle();
    assert_eq!(story.sent, 3);
    assert!(matches!(&story.events[0].1, NodeEvent::Ephemeral { body, .. } if body == &b"is typing"[..]));
    assert_eq!(story.events[1], (PeerId(1), NodeEvent::Pong { from: PeerId(0), number: 5 }));
    assert!(story.library.is_empty());
    // Lost, it is gone.
    story.nodes[0].send_ephemeral(GROUP, b"is typing");
    story.collect();
    story.lose_all();
    assert!(!story.step());
}

#[test]
fn acks_wait_for_company() {
    let after = Span::from_ms(500);
    for (acks, ack_bytes) in [
        (Acks::Immediate, 2 * 36),
        (Acks::Delayed { after }, 2 * 36),
        (Acks::Ancestors { after }, 36),
        (Acks::SetHash { after }, 4 + 2 * 8),
    ] {
        let mut story = Story::new(2, Config { acks, ..config(Offer::Batch) });
        story.write(0, "one");
        story.until(Time::ZERO + Span::from_ms(120));
        story.write(0, "two");
        story.until(Time::ZERO + Span::from_ms(300));
        // The answer carries the acks of both.
        story.write(1, "three");
        let alone = story.nodes[1].stats().ack_payloads;
        assert_eq!(alone, if acks == Acks::Immediate { 2 } else { 0 }, "{acks:?}");
        assert_eq!(story.nodes[1].stats().sent(Kind::Ack).bytes, ack_bytes, "{acks:?}");
        story.settle();
        assert_eq!(story.stats().redundant, 0, "{acks:?}");
    }
}

/// Without company an ack that may wait costs the sender time; what it saves is a payload of its own for each
/// message, which would tell everybody when the receiver was online.
#[test]
fn acks_without_company_are_late_and_few() {
    let after = Span::from_ms(500);
    let delayed = [Acks::Delayed { after }, Acks::Ancestors { after }, Acks::SetHash { after }];
    for acks in std::iter::once(Acks::Immediate).chain(delayed) {
        let mut story = Story::new(2, Config { acks, ..config(Offer::Batch) });
        story.write(0, "one");
        story.until(Time::ZERO + Span::from_ms(120));
        story.write(0, "two");
        while !story.nodes[0].is_settled() {
            assert!(story.step());
        }
        let immediate = acks == Acks::Immediate;
        // The second message arrives at 170 ms. A way takes 50.
        assert_eq!(story.now.as_ms(), if immediate { 220 } else { 600 }, "{acks:?}");
        assert_eq!(story.nodes[1].stats().ack_payloads, if immediate { 2 } else { 1 }, "{acks:?}");
        assert_eq!(story.stats().resends, 0, "{acks:?}");
    }
}

/// Found by soak (seed 2619): acks that could wait took the room of a message that could not, without end.
#[test]
fn acks_that_wait_leave_room_for_a_message() {
    let mut tight = Config { acks: Acks::Delayed { after: Span::from_s(60) }, ..config(Offer::Batch) };
    tight.limits.payload_len_max = 334;
    let mut story = Story::new(2, tight);
    for n in 0..6 {
        story.write(0, &n.to_string());
    }
    story.until(Time::ZERO + Span::from_s(2));
    let long = story.write(1, &"x".repeat(150));
    story.until(Time::ZERO + Span::from_s(4));
    assert_eq!(story.delivered(0, long), 1);
}

/// A message that no payload can hold is a mistake of the configuration, and no reason to hang.
#[test]
fn a_message_longer_than_a_payload_is_never_sent() {
    let mut tight = config(Offer::Batch);
    tight.limits.payload_len_max = 200;
    let mut story = Story::new(2, tight);
    let long = story.write(0, &"x".repeat(300));
    story.until(Time::ZERO + Span::from_s(2));
    assert_eq!((story.delivered(1, long), story.sent), (0, 0));
}

/// Found by soak (seed 58): the same end began every session, and the other never learned anything.
#[test]
fn sessions_that_teach_one_end_take_turns() {
    for writer in [0, 1] {
        let mut story = Story::new(2, config(reconcile("bloom:fpr=0.01,ways=one,tail=none")));
        let other = 1 - writer;
        story.settle();
        let no = story.write(writer as usize, "hello");
        story.until(story.now + Span::from_s(1500));
        assert_eq!(story.delivered(other, no), 1, "from {writer}");
    }
}

/// Found by soak (seed 398): asked by rank only, of a peer that keeps no lists.
#[test]
fn who_cannot_read_ranks_is_asked_by_id() {
    let by_id = config(Offer::Interactive);
    let mut by_rank = Config { requests: Requests::ByRank, ..by_id.clone() };
    by_rank.limits.request_sends_max = 1;
    let mut story = Story::of(vec![by_id, by_rank], |_, _| true);
    let no = story.write(0, "hello");
    story.settle();
    assert_eq!(story.delivered(1, no), 1);
}

#[test]
fn an_ack_that_nobody_can_read_is_repeated_by_id() {
    // A relay does not see the graph, so "this and its ancestors" means "this" to it.
    let after = Span::from_ms(500);
    let member = Config { acks: Acks::Ancestors { after }, ..config(Offer::Batch) };
    let relay = Config { part: Part::Relay, ..member.clone() };
    let mut story = Story::of(vec![member.clone(), relay, member], |a, b| b == a + 1);
    for n in 0..5 {
        story.write(0, &n.to_string());
    }
    story.settle();
    assert_eq!((story.nodes[1].held(), story.nodes[2].held()), (5, 5));
    let is_delivery = |(node, event): &&(PeerId, NodeEvent)| {
        *node == PeerId(1) && matches!(event, NodeEvent::Delivered { .. })
    };
    assert_eq!(story.events.iter().filter(is_delivery).count(), 0);
}

#[test]
fn a_request_by_rank_is_short() {
    let mut bytes = Vec::new();
    for requests in [Requests::ById, Requests::ByRank] {
        let mut story = Story::new(2, Config { requests, ..config(Offer::Interactive) });
        story.nodes[1].handle_offline(story.now);
        for n in 0..100 {
            story.write(0, &n.to_string());
        }
        story.lose_all();
        story.nodes[1].handle_online(story.now);
        story.settle();
        assert_eq!(story.nodes[1].held(), 100);
        bytes.push(story.stats().sent(Kind::Request).bytes);
    }
    // 100 offers in at most three lists: 13 bytes of bits each, a name, a form, tags.
    assert_eq!(bytes[0], 3600);
    assert!(bytes[1] < 60, "{bytes:?}");
}

/// 0 has written something that 1 has got and 2, who was away, has not.
fn two_has_missed_something(config: Config) -> Story {
    let mut story = Story::new(3, config);
    story.nodes[2].handle_offline(story.now);
    story.write(0, "hello");
    while !story.nodes[1].holds(MsgNo(0)) {
        story.wire.retain(|flying| flying.to != PeerId(2));
        story.step();
    }
    story.wire.retain(|flying| flying.to != PeerId(2));
    story.nodes[2].handle_online(story.now);
    story
}

#[test]
fn a_body_is_fetched_once_from_two_that_offer_it() {
    for coordinate in [true, false] {
        let backoff = Backoff { first: 1024, longest: 1024, again: 1024 };
        let mut story =
            two_has_missed_something(Config { coordinate, backoff, ..config(Offer::Interactive) });
        // So long a way that both offers are on it before the first is answered.
        story.latency = Span::from_s(30);
        story.settle();
        let (asked, redundant) = (story.stats().sent(Kind::Request).count, story.nodes[2].stats().redundant);
        assert!(asked > 1);
        assert_eq!(redundant > 0, !coordinate);
    }
}

#[test]
fn another_is_asked_when_the_first_does_not_answer() {
    let mut story = two_has_missed_something(config(Offer::Interactive));
    // Whatever 2 asks of the first to offer is lost, for ever.
    let mut first = None;
    while !story.nodes[2].holds(MsgNo(0)) {
        assert!(story.step() && story.now < Time::ZERO + Span::from_s(60));
        first = first.or_else(|| story.wire.iter().find(|f| f.from == PeerId(2)).map(|f| f.to));
        story.wire.retain(|flying| flying.from != PeerId(2) || Some(flying.to) != first);
    }
}

#[test]
fn a_crash_forgets_no_message_and_delivers_none_twice() {
    for offer in [Offer::Batch, Offer::Interactive, reconcile("range"), reconcile("riblt")] {
        let config = config(offer);
        let mut story = Story::new(2, config.clone());
        let no = story.write(0, "hello");
        story.settle();
        let later = story.write(0, "again");
        story.lose_all();
        for forget in [false, true] {
            for node in 0..2 {
                let old = story.nodes.remove(node);
                let mut disk = old.crash();
                if forget {
                    disk.forget_peers();
                }
                let seed = offerbench_algos::Seed::new(99 + u64::from(forget));
                let mut node_again =
                    Node::restart(disk, std::sync::Arc::new(config.clone()), &story.library, seed);
                node_again.handle_online(story.now);
                story.nodes.insert(node, node_again);
            }
            story.collect();
            story.settle();
        }
        story.write(1, "answer");
        story.settle();
        assert_eq!((story.delivered(1, no), story.delivered(1, later), story.nodes[0].held()), (1, 1, 3));
    }
}

#[test]
fn what_did_i_miss() {
    for spec in offerbench_algos::REGISTRY.iter().map(|entry| entry.presets[0]) {
        for on_have in [OnHave::Push, OnHave::Offer] {
            let options = Reconcile { on_have, ..Reconcile::new(spec).unwrap() };
            let mut story = Story::new(2, config(Offer::Reconcile(options)));
            story.settle();
            story.nodes[1].handle_offline(story.now);
            for n in 0..30 {
                story.write(0, &n.to_string());
            }
            story.until(story.now + Span::from_s(200));
            story.lose_all();
            story.nodes[1].handle_online(story.now);
            story.collect();
            story.settle();
            assert_eq!(story.nodes[1].held(), 30, "{spec}");
            assert_eq!(story.stats().redundant, 0, "{spec}");
            // It knows the other to know all: a session says nothing new, and nothing is sent.
            let messages = story.stats().sent(Kind::Message).count;
            let sessions = story.stats().sessions_done;
            story.until(story.now + Span::from_s(700));
            assert_eq!(story.stats().sent(Kind::Message).count, messages, "{spec}");
            assert!(story.stats().sessions_done > sessions, "{spec}");
        }
    }
}

/// Four peers hold what the fifth has missed. It asks three at once; each body is fetched from one of them.
#[test]
fn overlapping_answers_do_not_fetch_a_body_twice() {
    for (on_have, ask) in [(OnHave::Offer, 3), (OnHave::Offer, 1), (OnHave::Push, 1), (OnHave::Push, 3)] {
        let options = Reconcile { on_have, ask, ..Reconcile::new("offers").unwrap() };
        let mut story = Story::new(5, config(Offer::Reconcile(options)));
        story.settle();
        story.nodes[4].handle_offline(story.now);
        for n in 0..40 {
            story.write(n % 4, &n.to_string());
        }
        let later = story.now + Span::from_s(200);
        while story.next().is_some_and(|next| next <= later) {
            story.wire.retain(|flying| flying.to != PeerId(4));
            story.step();
        }
        story.now = later;
        story.wire.clear();
        assert!(story.nodes[..4].iter().all(|node| node.held() == 40));
        story.nodes[4].handle_online(story.now);
        story.collect();
        assert_eq!(story.wire.iter().filter(|flying| flying.from == PeerId(4)).count(), ask as usize);
        let since = story.now;
        story.settle();
        let redundant = story.nodes[4].stats().redundant;
        match (on_have, ask) {
            (OnHave::Push, 3) => assert_eq!(redundant, 80),
            _ => assert_eq!(redundant, 0, "{on_have:?} {ask}"),
        }
        assert_eq!(story.nodes[4].held(), 40);
        assert!(story.now.since(since) < Span::from_s(3), "{:?}", story.now.since(since));
    }
}

#[test]
fn a_peer_that_vanishes_in_the_middle_leaves_nothing_behind() {
    let mut story = Story::new(2, config(reconcile("range")));
    story.settle();
    for n in 0..500 {
        story.write(0, &n.to_string());
    }
    while story.nodes[1].pending().2 == 0 {
        assert!(story.step());
    }
    story.nodes[0].handle_offline(story.now);
    story.lose_all();
    assert_eq!(story.nodes[0].pending().2, 0);
    let end = story.now + Span::from_s(31);
    while story.next().is_some_and(|next| next <= end) {
        story.step();
        story.lose_all();
    }
    assert_eq!(story.nodes[1].pending().2, 0);
    println!(
        "{:?}",
        story.events.iter().filter(|e| matches!(e.1, NodeEvent::Reconciled { .. })).collect::<Vec<_>>()
    );
    assert!(story.nodes[1].stats().sessions_failed > 0);
}

#[test]
fn both_ends_may_begin_at_once() {
    let mut story = Story::new(2, config(reconcile("range")));
    // Both came online at once, so each has an opening on the wire.
    assert_eq!(story.wire.len(), 2);
    story.settle();
    let stats = story.stats();
    assert_eq!((stats.sessions_done, stats.refused(Refusal::BadSegment)), (2, 0));
}

#[test]
fn unknown_peers_groups_and_sessions_are_refused_and_counted() {
    let mut story = Story::new(2, config(Offer::Batch));
    story.write(0, "hello");
    let flying = story.wire.pop_front().unwrap();
    let node = &mut story.nodes[1];
    assert!(node.handle_payload(&mut story.library, flying.at, PeerId(9), &flying.bytes).is_err());
    assert_eq!(node.stats().refused(Refusal::UnknownPeer), 1);
    // Another group: the same bytes with another group id.
    let mut bytes = flying.bytes.clone();
    let place = bytes.windows(32).position(|window| window == GROUP.0).unwrap();
    bytes[place] ^= 1;
    node.handle_payload(&mut story.library, flying.at, flying.from, &bytes).unwrap();
    assert_eq!(node.stats().refused(Refusal::UnknownGroup), 1);
    for garbage in [&b""[..], b"\x09", b"\x00\xff\xff", b"\x02\x01"] {
        assert!(node.handle_payload(&mut story.library, flying.at, flying.from, garbage).is_err());
    }
    assert_eq!(node.stats().refused(Refusal::BadPayload), 4);
    assert_eq!(node.held(), 0);
}

#[test]
fn nodes_of_different_strategies_refuse_each_other() {
    let mut story = Story::of(vec![config(reconcile("range")), config(reconcile("riblt"))], |_, _| true);
    story.until(Time::ZERO + Span::from_s(5));
    assert!(story.stats().refused(Refusal::SessionRefused) > 0);
    assert_eq!(story.stats().sessions_done, 0);
    assert_eq!(story.nodes[0].pending().2 + story.nodes[1].pending().2, 0);
}
