// The steps of the simulated clients: sessions, leases, restarts.
#include "tests/sim/state_driver.hpp"

namespace pnfs::cluster {

using namespace nfs;
using client::Compound;
using namespace std::chrono_literals;

// The same request once more: the answer is the one that was given, and nothing happens twice.
void StateDriver::retry() {
  Actor& actor = any_actor();
  Model::Open* open = any_open(actor.id());
  if (open == nullptr || open->access() == 0) return;
  LOCK4args args;
  args.locktype = (open->access() & 2) != 0 ? WRITE_LT : READ_LT;
  args.offset = 1000 + static_cast<uint64_t>(step_) * 2;  // beyond what the model looks at
  args.length = 1;
  args.locker.new_lock_owner = true;
  args.locker.open_owner.open_stateid = open->stateid;
  const std::string owner = fmt::format("retry{}", step_);
  args.locker.open_owner.lock_owner.owner.bytes = std::as_bytes(std::span(owner));
  auto compound = Compound::in_session();
  compound->putfh(handles_[open->file]).add(OP_LOCK, args);
  auto first = ask(actor, compound);
  if (!first) return;
  first->ok(OP_PUTFH);
  const stateid4 stateid = first->get<LOCK4res>(OP_LOCK).resok4.lock_stateid;
  if (first->failure()) return problem("a lock that nobody is in the way of: " + client::to_string(*first->failure()));
  auto again = cluster_->run(actor.session->run_bare(compound));
  for (int tries = 0; !again && tries < 5; ++tries) {  // the answer was lost once more
    (void)cluster_->run(actor.session->reconnect());
    again = cluster_->run(actor.session->run_bare(compound));
  }
  if (!again) return problem("a retry got no answer");
  (*again)->get<SEQUENCE4res>(OP_SEQUENCE);
  (*again)->ok(OP_PUTFH);
  same_stateid("a retried LOCK", stateid, (*again)->get<LOCK4res>(OP_LOCK).resok4.lock_stateid);
  if ((*again)->failure()) problem("a retry failed: " + client::to_string(*(*again)->failure()));
  mark("replay");

  // The lock goes, and with it what the model does not know.
  auto unlock = Compound::in_session();
  unlock->putfh(handles_[open->file])
      .add(OP_LOCKU, LOCKU4args{WRITE_LT, 0, stateid, args.offset, 1})
      .add(OP_FREE_STATEID, FREE_STATEID4args{stateid4{0, stateid.other}});
  auto freed = ask(actor, unlock);
  if (!freed) return;
  freed->ok(OP_PUTFH);
  freed->get<LOCKU4res>(OP_LOCKU);
  freed->get<FREE_STATEID4res>(OP_FREE_STATEID);
  if (freed->failure()) problem("a lock does not go: " + client::to_string(*freed->failure()));
}

void StateDriver::misuse_slots() {
  Actor& actor = any_actor();
  (void)ask(actor, Compound::in_session());
  if (!problem_.empty()) return;
  SEQUENCE4args args = actor.session->sequence_args(0);
  nfsstat4 expected = NFS4ERR_SEQ_MISORDERED;
  auto compound = Compound::bare();
  switch (random_.below(3)) {
    case 0:
      args.sa_sequenceid += 1 + static_cast<uint32_t>(random_.below(5));
      compound->add(OP_SEQUENCE, args);
      break;
    case 1:  // what was answered last, with other operations
      args.sa_sequenceid -= 1;
      args.sa_cachethis = true;
      compound->add(OP_SEQUENCE, args).add(OP_PUTROOTFH).add(OP_GETFH);
      expected = NFS4ERR_SEQ_FALSE_RETRY;
      break;
    default:
      args.sa_slotid = args.sa_highest_slotid = 1000;
      compound->add(OP_SEQUENCE, args);
      expected = NFS4ERR_BADSLOT;
      break;
  }
  auto reply = cluster_->run(actor.session->run_bare(compound));
  if (!reply) return;  // lost
  same("a misused slot", expected, (*reply)->get<SEQUENCE4res>(OP_SEQUENCE).sr_status);
  mark("slot misuse");
}

// The server wants slots back; the client goes on with those that are left.
void StateDriver::shrink_slots() {
  Actor& actor = any_actor();
  session::Session* session = cluster_->mds().sessions().session(actor.session->sessionid());
  if (session == nullptr) return problem("an awake client has no session");
  const auto target = static_cast<uint32_t>(random_.below(7));
  session->slots().set_target(target);
  for (int i = 0; i < 3; ++i) (void)ask(actor, Compound::in_session());
  if (!problem_.empty()) return;
  if (session->slots().highest_slot() != target) return problem("slots that were taken back are still there");
  SEQUENCE4args args = actor.session->sequence_args(0);
  args.sa_slotid = args.sa_highest_slotid = 7;
  args.sa_sequenceid = 1;
  auto compound = Compound::bare();
  compound->add(OP_SEQUENCE, args);
  auto reply = cluster_->run(actor.session->run_bare(compound));
  if (reply) same("a slot that was taken back", NFS4ERR_BADSLOT, (*reply)->get<SEQUENCE4res>(OP_SEQUENCE).sr_status);
  session->slots().set_target(7);
  mark("slot shrink");
}

// A client is not heard for more than a lease.
void StateDriver::fall_asleep() {
  for (const auto& actor : actors_) {
    if (actor->asleep) return;  // one at a time
  }
  overdue_delegations(0s);
  if (!problem_.empty()) return;
  Actor& actor = any_actor();
  if (!problem_.empty() || !cluster_->mds().state().has_state(actor.id())) return;
  actor.asleep = true;
  idle(15s);
  mark("asleep");
}

// It comes back: with all it had, or with nothing when somebody was in its way.
void StateDriver::wake(Actor& actor) {
  auto reply = cluster_->run(actor.session->run(Compound::in_session()));
  actor.asleep = false;
  if (reply) {
    if (actor.gone) return problem(actor.name + " is let in although all it had is gone");
    return mark("courtesy");
  }
  if (!reply.error().is(NFS4ERR_BADSESSION) && reply.error().status != NFS4_OK) {
    return problem(fmt::format("{} wakes: {}", actor.name, client::to_string(reply.error())));
  }
  if (!actor.gone) return problem(actor.name + " lost its state although nobody was in its way");
  actor.gone = false;
  if (std::string why = actor.establish(); !why.empty()) return problem(std::move(why));
  complete(actor);
  mark("back after a conflict");
}

void StateDriver::complete(Actor& actor) {
  if (!problem_.empty()) return;
  auto compound = Compound::in_session();
  compound->add(OP_RECLAIM_COMPLETE, RECLAIM_COMPLETE4args{false});
  auto reply = ask(actor, compound);
  if (!reply) return;
  reply->ok(OP_RECLAIM_COMPLETE);
  if (reply->failure()) problem("RECLAIM_COMPLETE: " + client::to_string(*reply->failure()));
}

void StateDriver::restart_a_client() {
  restart_client(any_actor());
}

// The client crashes and comes back under the same name with another verifier: what it had is released at once.
void StateDriver::restart_client(Actor& actor) {
  if (!problem_.empty()) return;
  const clientid4 before = actor.id();
  actor.new_incarnation();
  if (std::string why = actor.establish(); !why.empty()) return problem(std::move(why));
  if (actor.id() == before) problem("a new incarnation got the old client id");
  model_.drop(before);
  complete(actor);
  mark("client restart");
}

// kill -9 of the server. Clients that were awake reclaim what they had; meanwhile nobody gets anything new.
void StateDriver::restart_server() {
  overdue_delegations(0s);
  if (!problem_.empty()) return;
  for (const auto& actor : actors_) {
    if (actor->asleep || actor->gone) wake(*actor);
  }
  if (!problem_.empty()) return;
  cluster_->kill("mds");
  cluster_->run_for(std::chrono::milliseconds(random_.below(2000)));
  if (auto back = cluster_->restart("mds"); !back) return problem("restart: " + back.error().reason);
  mark("server restart");
  const size_t lost = random_.chance(1, 3) ? random_.below(kActors) : kActors;  // this one crashed as well
  for (size_t i = 0; i < kActors && problem_.empty(); ++i) {
    Actor& actor = *actors_[i];
    if (i == lost) {
      model_.drop(actor.id());
      actor.gone = true;
      continue;
    }
    reclaim(actor);
  }
  if (!problem_.empty()) return;
  if (lost < kActors) {
    Actor& actor = *actors_[lost];
    // While it may still come and reclaim, nothing new is given out.
    auto compound = Compound::in_session();
    OPEN4args args;
    args.share_access = OPEN4_SHARE_ACCESS_READ | OPEN4_SHARE_ACCESS_WANT_NO_DELEG;
    const std::string name = "f0";
    args.openhow.opentype = OPEN4_CREATE;
    args.claim.file.text = name;
    compound->putfh(root_).add(OP_OPEN, args);
    Actor& asker = *actors_[(lost + 1) % kActors];
    if (auto reply = ask(asker, compound)) {
      reply->ok(OP_PUTFH);
      same("OPEN in the grace period", NFS4ERR_GRACE, reply->get<OPEN4res>(OP_OPEN).status);
    }
    mark("grace");
    idle(25s);  // the grace period, extended or not, is over
    if (cluster_->mds().in_grace()) return problem("the grace period does not end");
    actor.new_incarnation();
    actor.gone = false;
    if (std::string why = actor.establish(); !why.empty()) return problem(std::move(why));
    complete(actor);
  } else if (cluster_->mds().in_grace()) {
    problem("everybody is done and the grace period goes on");
  } else {
    mark("grace ended early");
  }
}

void StateDriver::reclaim(Actor& actor) {
  const clientid4 before = actor.id();
  if (std::string why = actor.establish(); !why.empty()) return problem(std::move(why));
  const clientid4 now = actor.id();
  if (now == before) return problem("a client id outlived the server");
  // A delegation comes back with an open of its file; without one it is let go.
  std::vector<Model::Delegation> delegations;
  for (const auto& d : model_.delegations) {
    if (d.client == before && !d.revoked) delegations.push_back(d);
  }
  std::erase_if(model_.delegations, [&](const auto& d) { return d.client == before; });
  for (auto& o : model_.opens) {
    if (o.client != before || !problem_.empty()) continue;
    OPEN4args args;
    args.share_access = o.access();
    args.share_deny = o.deny();
    args.owner.owner.bytes = std::as_bytes(std::span(o.owner));
    args.claim.claim = CLAIM_PREVIOUS;
    const auto held =
        std::find_if(delegations.begin(), delegations.end(), [&](const auto& d) { return d.file == o.file; });
    if (held != delegations.end()) {
      args.claim.delegate_type = held->write ? OPEN_DELEGATE_WRITE : OPEN_DELEGATE_READ;
    }
    auto compound = Compound::in_session();
    compound->putfh(handles_[o.file]).add(OP_OPEN, args);
    auto reply = ask(actor, compound);
    if (!reply) return;
    reply->ok(OP_PUTFH);
    const auto& res = reply->get<OPEN4res>(OP_OPEN);
    same("a reclaimed OPEN", NFS4_OK, res.status);
    const stateid4 old = o.stateid;
    o.client = now;
    o.stateid = res.resok4.stateid;
    o.opened = {{o.access(), o.deny()}};
    seen_.push_back(o.stateid);
    for (auto& l : model_.locks) {
      if (l.open.other == old.other) l.open = o.stateid;
    }
    mark("reclaim");
    if (held == delegations.end()) continue;
    const auto& given = res.resok4.delegation;
    if (given.delegation_type != args.claim.delegate_type) return problem("a delegation was not given back");
    model_.delegations.push_back(
        {now, held->file, held->write, held->write ? given.write.stateid : given.read.stateid});
    seen_.push_back(model_.delegations.back().stateid);
    delegations.erase(held);
    mark("delegation reclaimed");
  }
  std::erase_if(model_.locks, [&](Model::Lock& l) { return l.client == before && !reclaim_lock(actor, l); });
  complete(actor);
}

// false: it held no byte, and nothing is left of it.
bool StateDriver::reclaim_lock(Actor& actor, Model::Lock& held) {
  bool first = true;
  held.client = actor.id();
  // Its bytes may have been locked under several opens; it comes back under one that allows them all, or not at all.
  uint32_t need = 0;
  for (const int byte : held.bytes) need |= static_cast<uint32_t>(byte);
  const Model::Open* under = nullptr;
  for (const auto& o : model_.opens) {
    if (o.client != held.client || o.file != held.file || (o.access() & need) != need) continue;
    if (under == nullptr || o.stateid.other == held.open.other) under = &o;
  }
  if (under == nullptr) return false;
  held.open = under->stateid;
  for (size_t i = 0; i < Model::kBytes && problem_.empty();) {
    size_t end = i;
    while (end < Model::kBytes && held.bytes[end] == held.bytes[i]) ++end;
    if (held.bytes[i] != 0) {
      LOCK4args args;
      args.reclaim = true;
      args.locktype = held.bytes[i] == 2 ? WRITE_LT : READ_LT;
      args.offset = i;
      args.length = end - i;
      args.locker.new_lock_owner = first;
      if (first) {
        args.locker.open_owner.open_stateid = held.open;
        args.locker.open_owner.lock_owner.owner.bytes = std::as_bytes(std::span(held.owner));
      } else {
        args.locker.lock_owner.lock_stateid = held.stateid;
      }
      auto compound = Compound::in_session();
      compound->putfh(handles_[held.file]).add(OP_LOCK, args);
      auto reply = ask(actor, compound);
      if (!reply) return true;
      reply->ok(OP_PUTFH);
      const auto& res = reply->get<LOCK4res>(OP_LOCK);
      same("a reclaimed LOCK", NFS4_OK, res.status);
      held.stateid = res.resok4.lock_stateid;
      if (first) seen_.push_back(held.stateid);
      first = false;
      mark("lock reclaimed");
    }
    i = end;
  }
  return !first;
}

}  // namespace pnfs::cluster
