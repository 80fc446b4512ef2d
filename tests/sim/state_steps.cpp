// The steps of the simulated clients: state.
#include "tests/sim/state_driver.hpp"

namespace pnfs::cluster {

using namespace nfs;
using client::Compound;
using namespace std::chrono_literals;

namespace {
std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
}  // namespace

void StateDriver::step() {
  struct Kind {
    const char* name;
    uint64_t weight;
    void (StateDriver::*run)();
  };
  static constexpr Kind kKinds[] = {{"open", 10, &StateDriver::open},
                                    {"downgrade", 2, &StateDriver::downgrade},
                                    {"close", 4, &StateDriver::close},
                                    {"lock", 6, &StateDriver::lock},
                                    {"unlock", 2, &StateDriver::unlock},
                                    {"write", 4, &StateDriver::write_and_read},
                                    {"test", 4, &StateDriver::test_and_free},
                                    {"delegreturn", 2, &StateDriver::return_delegation},
                                    {"retry", 2, &StateDriver::retry},
                                    {"misuse", 2, &StateDriver::misuse_slots},
                                    {"pause", 2, &StateDriver::pause},
                                    {"sleep", 2, &StateDriver::fall_asleep},
                                    {"client restart", 1, &StateDriver::restart_a_client},
                                    {"server restart", 1, &StateDriver::restart_server},
                                    {"shrink", 2, &StateDriver::shrink_slots}};
  overdue_delegations(4s);
  uint64_t sum = 0;
  for (const Kind& kind : kKinds) sum += kind.weight;
  uint64_t drawn = random_.below(sum);
  for (const Kind& kind : kKinds) {
    if (drawn >= kind.weight) {
      drawn -= kind.weight;
      continue;
    }
    history_.push_back(kind.name);
    (this->*kind.run)();
    break;
  }
  if (problem_.empty()) check_counts();
}

void StateDriver::pause() {
  idle(std::chrono::milliseconds(random_.below(4000)));
}

void StateDriver::open() {
  Actor& actor = any_actor();
  const uint64_t file = random_.below(kFiles);
  const std::string owner = any_owner(), name = fmt::format("f{}", file);
  const auto access = static_cast<uint32_t>(1 + random_.below(3));
  const auto deny = static_cast<uint32_t>(random_.chance(2, 3) ? 0 : random_.below(4));
  OPEN4args args;
  args.share_access = access | (random_.chance(1, 2) ? OPEN4_SHARE_ACCESS_WANT_NO_DELEG : 0);
  args.share_deny = deny;
  args.owner.owner.bytes = bytes_of(owner);
  args.openhow.opentype = OPEN4_CREATE;
  args.claim.claim = CLAIM_NULL;
  args.claim.file.text = name;
  auto compound = Compound::in_session();
  compound->putfh(root_).add(OP_OPEN, args).add(OP_GETFH);

  std::vector<clientid4> sharers, holders;
  const clientid4 me = actor.id();
  for (const auto& o : model_.opens) {
    if (o.file != file || (o.client == me && o.owner == owner)) continue;
    if ((access & o.deny()) != 0 || (deny & o.access()) != 0) sharers.push_back(o.client);
  }
  const bool modifies = (access & 2) != 0 || (deny & 1) != 0;
  for (const auto& d : model_.delegations) {
    if (d.file == file && d.client != me && !d.revoked && (d.write || modifies)) holders.push_back(d.client);
  }
  const auto is_live = [&](clientid4 client) { return live(client); };
  const bool denied = std::any_of(sharers.begin(), sharers.end(), is_live);
  const bool delayed = std::any_of(holders.begin(), holders.end(), is_live);

  const auto reachable = reachable_clients();
  auto reply = ask(actor, compound);
  if (!reply) return;
  reply->ok(OP_PUTFH);
  const auto& res = reply->get<OPEN4res>(OP_OPEN);
  settle(sharers, res.status == NFS4_OK);
  settle(holders, res.status == NFS4_OK);
  if (delayed || denied) {
    mark(delayed ? "recall" : "share denied");
    if (res.status == NFS4_OK || (delayed && !denied)) same("OPEN", NFS4ERR_DELAY, res.status);
    if (denied && !delayed) same("OPEN", NFS4ERR_SHARE_DENIED, res.status);
    if (res.status != NFS4ERR_DELAY) return;
    const TimePoint asked_at = cluster_->sim().timers().now();  // no later than the recall
    cluster_->run_for(1s);
    for (auto& d : model_.delegations) {
      if (d.file != file || d.client == me || d.revoked || !(d.write || modifies)) continue;
      d.recalled = true;
      recalled_at_.try_emplace(d.stateid.other.bytes, asked_at);
      const Actor* holder = actor_of(d.client);
      if (holder == nullptr || holder->was_recalled(d.stateid)) continue;
      // A client whose connection was lost hears of it when it asks next, or from the revocation.
      if (reachable.contains(d.client) && reachable_clients().contains(d.client)) {
        problem(holder->name + " was not told of a recall");
      }
    }
    return;
  }
  same("OPEN", NFS4_OK, res.status);
  if (res.status != NFS4_OK) return;
  const auto fh = reply->get<GETFH4res>(OP_GETFH).resok4.object.bytes;
  if (!handles_[file].empty() && !std::ranges::equal(handles_[file], fh)) problem("the filehandle changed");
  handles_[file].assign(fh.begin(), fh.end());

  const stateid4 stateid = res.resok4.stateid;
  bool upgrade = false;
  for (auto& o : model_.opens) {
    if (o.client != me || o.owner != owner || o.file != file) continue;
    o.opened.emplace_back(access, deny);
    ++o.stateid.seqid;
    same_stateid("OPEN again", o.stateid, stateid);
    upgrade = true;
  }
  if (!upgrade) {
    if (stateid.seqid != 1 || model_.known(stateid)) problem("a new open got a stateid that is not new");
    model_.opens.push_back({me, owner, file, {{access, deny}}, stateid});
    seen_.push_back(stateid);
  }
  mark(upgrade ? "upgrade" : "open");
  const auto& delegation = res.resok4.delegation;
  if (delegation.delegation_type != OPEN_DELEGATE_READ && delegation.delegation_type != OPEN_DELEGATE_WRITE) return;
  const bool write = delegation.delegation_type == OPEN_DELEGATE_WRITE;
  if (!model_.may_delegate(me, file, write)) problem("a delegation that conflicts with what others hold");
  if ((args.share_access & OPEN4_SHARE_ACCESS_WANT_NO_DELEG) != 0) problem("a delegation that was not wanted");
  model_.delegations.push_back({me, file, write, write ? delegation.write.stateid : delegation.read.stateid});
  seen_.push_back(model_.delegations.back().stateid);
  mark(write ? "write delegation" : "read delegation");
}

void StateDriver::downgrade() {
  Actor& actor = any_actor();
  Model::Open* open = any_open(actor.id());
  if (open == nullptr) return;
  for (const auto& l : model_.locks) {
    if (l.open.other == open->stateid.other) return;  // whether its locks may stay is nobody's rule
  }
  const auto access = static_cast<uint32_t>(random_.below(4)), deny = static_cast<uint32_t>(random_.below(4));
  auto compound = Compound::in_session();
  compound->putfh(handles_[open->file]).add(OP_OPEN_DOWNGRADE, OPEN_DOWNGRADE4args{open->stateid, 0, access, deny});
  auto reply = ask(actor, compound);
  if (!reply) return;
  reply->ok(OP_PUTFH);
  const auto& res = reply->get<OPEN_DOWNGRADE4res>(OP_OPEN_DOWNGRADE);
  const bool may = model_.may_downgrade(*open, access, deny);
  same("OPEN_DOWNGRADE", may ? NFS4_OK : NFS4ERR_INVAL, res.status);
  if (!may) return mark("downgrade refused");
  mark("downgrade");
  std::erase_if(open->opened, [&](auto pair) { return (pair.first & ~access) != 0 || (pair.second & ~deny) != 0; });
  ++open->stateid.seqid;
  same_stateid("OPEN_DOWNGRADE", open->stateid, res.resok4.open_stateid);
}

void StateDriver::close() {
  Actor& actor = any_actor();
  Model::Open* open = any_open(actor.id());
  if (open == nullptr) return;
  auto compound = Compound::in_session();
  compound->putfh(handles_[open->file]).add(OP_CLOSE, CLOSE4args{0, open->stateid});
  auto reply = ask(actor, compound);
  if (!reply) return;
  reply->ok(OP_PUTFH);
  same("CLOSE", NFS4_OK, reply->get<CLOSE4res>(OP_CLOSE).status);
  model_.close(stateid4(open->stateid));
  mark("close");
}

void StateDriver::lock() {
  Actor& actor = any_actor();
  const Model::Open* found = any_open(actor.id());
  if (found == nullptr) return;
  const Model::Open from = *found;
  const bool exclusive = random_.chance(1, 2);
  const uint64_t a = random_.below(Model::kBytes), b = random_.below(Model::kBytes);
  const uint64_t begin = std::min(a, b), last = std::max(a, b);
  const std::string by = any_owner();
  Model::Lock* mine = nullptr;
  for (auto& l : model_.locks) {
    if (l.client == from.client && l.owner == by && l.file == from.file) mine = &l;
  }
  LOCK4args args;
  args.locktype = exclusive ? WRITE_LT : READ_LT;
  args.offset = begin;
  args.length = last - begin + 1;
  uint32_t access = from.access();
  if (mine != nullptr && random_.chance(1, 2)) {
    args.locker.new_lock_owner = false;
    args.locker.lock_owner.lock_stateid = mine->stateid;
    access = model_.known(mine->stateid)->access;
  } else {
    args.locker.new_lock_owner = true;
    args.locker.open_owner.open_stateid = from.stateid;
    args.locker.open_owner.lock_owner.owner.bytes = bytes_of(by);
  }
  std::vector<clientid4> others;
  for (const auto& l : model_.locks) {
    if (l.file != from.file || (l.client == from.client && l.owner == by)) continue;
    for (uint64_t i = begin; i <= last; ++i) {
      if (l.bytes[i] != 2 && !(exclusive && l.bytes[i] == 1)) continue;
      others.push_back(l.client);
      break;
    }
  }
  auto compound = Compound::in_session();
  compound->putfh(handles_[from.file]).add(OP_LOCK, args);
  auto reply = ask(actor, compound);
  if (!reply) return;
  reply->ok(OP_PUTFH);
  const auto& res = reply->get<LOCK4res>(OP_LOCK);
  if ((access & (exclusive ? 2u : 1u)) == 0) return same("LOCK", NFS4ERR_OPENMODE, res.status);
  const bool denied = std::any_of(others.begin(), others.end(), [&](clientid4 client) { return live(client); });
  settle(others, res.status == NFS4_OK);
  same("LOCK", denied ? NFS4ERR_DENIED : NFS4_OK, res.status);
  if (denied) mark("lock denied");
  if (res.status != NFS4_OK) return;
  mark("lock");
  mine = nullptr;  // who was let go took its locks along
  for (auto& l : model_.locks) {
    if (l.client == from.client && l.owner == by && l.file == from.file) mine = &l;
  }
  if (mine == nullptr) {
    model_.locks.push_back({from.client, by, from.file, from.stateid, res.resok4.lock_stateid, {}});
    mine = &model_.locks.back();
    seen_.push_back(mine->stateid);
  } else {
    ++mine->stateid.seqid;
    same_stateid("LOCK", mine->stateid, res.resok4.lock_stateid);
  }
  for (uint64_t i = begin; i <= last; ++i) mine->bytes[i] = exclusive ? 2 : 1;
}

void StateDriver::unlock() {
  Actor& actor = any_actor();
  for (auto& l : model_.locks) {
    if (l.client != actor.id()) continue;
    const uint64_t a = random_.below(Model::kBytes), b = random_.below(Model::kBytes);
    const uint64_t begin = std::min(a, b), last = std::max(a, b);
    auto compound = Compound::in_session();
    compound->putfh(handles_[l.file]).add(OP_LOCKU, LOCKU4args{WRITE_LT, 0, l.stateid, begin, last - begin + 1});
    auto reply = ask(actor, compound);
    if (!reply) return;
    reply->ok(OP_PUTFH);
    const auto& res = reply->get<LOCKU4res>(OP_LOCKU);
    same("LOCKU", NFS4_OK, res.status);
    ++l.stateid.seqid;
    same_stateid("LOCKU", l.stateid, res.lock_stateid);
    for (uint64_t i = begin; i <= last; ++i) l.bytes[i] = 0;
    return mark("unlock");
  }
}

void StateDriver::write_and_read() {
  Actor& actor = any_actor();
  if (seen_.empty()) return;
  stateid4 stateid = any_stateid();
  if (const Model::Open* open = any_open(actor.id()); open != nullptr && random_.chance(2, 3)) stateid = open->stateid;
  const auto known = model_.known(stateid);
  const uint64_t file = known ? known->file : random_.below(kFiles);
  if (handles_[file].empty()) return;
  const uint64_t offset = random_.below(60);
  const std::array<std::byte, 4> data{std::byte(random_.below(256)), std::byte(step_), std::byte(1), std::byte(2)};
  const nfsstat4 may_write = model_.io(actor.id(), file, stateid, 2),
                 may_read = model_.io(actor.id(), file, stateid, 1);

  auto writing = Compound::in_session();
  WRITE4args write;
  write.stateid = stateid;
  write.offset = offset;
  write.stable = FILE_SYNC4;
  write.data.bytes = data;
  writing->putfh(handles_[file]).add(OP_WRITE, write);
  if (auto reply = ask(actor, writing)) {
    reply->ok(OP_PUTFH);
    same("WRITE", may_write, reply->get<WRITE4res>(OP_WRITE).status);
    if (may_write == NFS4_OK) {
      for (size_t i = 0; i < 4; ++i) content_[file][offset + i] = static_cast<uint8_t>(data[i]);
      mark("write");
    }
    if (may_write == NFS4ERR_OLD_STATEID) mark("old stateid");
  }
  auto reading = Compound::in_session();
  READ4args read;
  read.stateid = stateid;
  read.count = 64;
  reading->putfh(handles_[file]).add(OP_READ, read);
  auto reply = ask(actor, reading);
  if (!reply) return;
  reply->ok(OP_PUTFH);
  const auto& res = reply->get<READ4res>(OP_READ);
  same("READ", may_read, res.status);
  if (res.status != NFS4_OK) return;
  for (size_t i = 0; i < 64; ++i) {
    const uint8_t got = i < res.resok4.data.bytes.size() ? static_cast<uint8_t>(res.resok4.data.bytes[i]) : 0;
    if (got != content_[file][i]) return problem(fmt::format("byte {} of file {} is not what was written", i, file));
  }
}

void StateDriver::test_and_free() {
  Actor& actor = any_actor();
  if (seen_.empty()) return;
  stateid4 stateid = any_stateid();
  TEST_STATEID4args args;
  args.ts_stateids.items = std::span(&stateid, 1);
  auto compound = Compound::in_session();
  compound->add(OP_TEST_STATEID, args);
  auto reply = ask(actor, compound);
  if (!reply) return;
  const auto& codes = reply->get<TEST_STATEID4res>(OP_TEST_STATEID).tsr_resok4.tsr_status_codes;
  if (codes.size() != 1) return problem("TEST_STATEID answered with another number of codes");
  same("TEST_STATEID", model_.test(actor.id(), stateid), codes[0]);
  if (codes[0] == NFS4ERR_DELEG_REVOKED) mark("revoke");
  if (random_.chance(1, 2)) return;

  auto freeing = Compound::in_session();
  freeing->add(OP_FREE_STATEID, FREE_STATEID4args{stateid});
  reply = ask(actor, freeing);
  if (!reply) return;
  nfsstat4 expected = model_.test(actor.id(), stateid);
  const auto known = model_.known(stateid);
  if (expected == NFS4ERR_DELEG_REVOKED) {
    expected = NFS4_OK;
  } else if (expected == NFS4_OK && (known->kind != mds::state::StateKind::lock || known->holds_bytes)) {
    expected = NFS4ERR_LOCKS_HELD;
  }
  same("FREE_STATEID", expected, reply->get<FREE_STATEID4res>(OP_FREE_STATEID).fsr_status);
  if (expected != NFS4_OK) return;
  std::erase_if(model_.locks, [&](const auto& l) { return l.stateid.other == stateid.other; });
  std::erase_if(model_.delegations, [&](const auto& d) { return d.stateid.other == stateid.other; });
}

void StateDriver::return_delegation() {
  Actor& actor = any_actor();
  for (size_t i = 0; i < model_.delegations.size(); ++i) {
    const Model::Delegation held = model_.delegations[i];
    if (held.client != actor.id()) continue;
    auto compound = Compound::in_session();
    compound->putfh(handles_[held.file]).add(OP_DELEGRETURN, DELEGRETURN4args{held.stateid});
    auto reply = ask(actor, compound);
    if (!reply) return;
    reply->ok(OP_PUTFH);
    const nfsstat4 expected = model_.use(actor.id(), held.file, held.stateid);
    same("DELEGRETURN", expected, reply->get<DELEGRETURN4res>(OP_DELEGRETURN).status);
    if (expected != NFS4_OK) return;
    model_.delegations.erase(model_.delegations.begin() + static_cast<ptrdiff_t>(i));
    return mark("delegation returned");
  }
}

// A recalled delegation that is not back within a lease is revoked; shortly before, nobody can say. So whoever comes
// near gives it back or lets it be revoked. While one is waited for, others come near as well: from the start again.
void StateDriver::overdue_delegations(Duration age) {
  for (size_t i = 0; i < model_.delegations.size() && problem_.empty();) {
    const TimePoint now = cluster_->sim().timers().now();
    const auto& d = model_.delegations[i++];
    const auto at = recalled_at_.find(d.stateid.other.bytes);
    if (d.revoked || !d.recalled || at == recalled_at_.end() || now - at->second < age) continue;
    idle(14s - (now - at->second));
    model_.delegations[i - 1].revoked = true;
    const bool told = cluster_->mds().state().has_revoked(model_.delegations[i - 1].client);
    if (!told) problem("a recalled delegation was kept for longer than a lease");
    mark("revoke");
    i = 0;
  }
}

}  // namespace pnfs::cluster
