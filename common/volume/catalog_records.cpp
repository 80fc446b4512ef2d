// Client recovery records and nodes.
#include "common/volume/catalog_impl.hpp"

namespace pnfs::volume {

namespace {

ClientRecord read_client(const Query& row) {
  ClientRecord c;
  c.owner = row.text(0);
  c.principal = row.text(1);
  const std::string_view verifier = row.text(2);
  std::memcpy(c.verifier.data(), verifier.data(), std::min(verifier.size(), c.verifier.size()));
  c.clientid = row.u64(3);
  c.boot_instance = row.u64(4);
  c.reclaim_complete = row.u32(5) != 0;
  c.confirmed = {row.i64(6), row.u32(7)};
  return c;
}

}  // namespace

Result<void> Catalog::put_client(const ClientRecord& c) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql("REPLACE INTO clients VALUES(?, ?, ?, ?, ?, ?, ?, ?)"));
    query.blob(c.owner).blob(c.principal).blob(c.verifier).integer(c.clientid).integer(c.boot_instance);
    query.integer(c.reclaim_complete ? 1 : 0);
    query.integer(static_cast<uint64_t>(c.confirmed.seconds)).integer(c.confirmed.nanoseconds);
    if (auto ok = query.done(); !ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<ClientRecord> Catalog::get_client(std::string_view owner) {
  Query query(impl_->sql("SELECT * FROM clients WHERE owner = ?"));
  auto row = query.blob(owner).row();
  if (!row) return row.error();
  if (!*row) return error(Errc::not_found, "no record of this client");
  return read_client(query);
}

Result<void> Catalog::erase_client(std::string_view owner) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql("DELETE FROM clients WHERE owner = ?"));
    if (auto ok = query.blob(owner).done(); !ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<std::vector<ClientRecord>> Catalog::clients() {
  Query query(impl_->sql("SELECT * FROM clients ORDER BY owner"));
  std::vector<ClientRecord> all;
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back(read_client(query));
  }
}

Result<void> Catalog::put_node(const NodeRecord& n) {
  if (n.slot == 0 || n.slot > impl_->limits().node_slots) {
    return error(Errc::invalid, "node '{}' cannot take slot {}: the volume has slots 1 to {}", n.name, n.slot,
                 impl_->limits().node_slots);
  }
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql(
        "INSERT INTO nodes VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(slot) DO UPDATE SET name=?2, address=?3,"
        " key=?4, epoch=?5, instance=?6, fenced=?7, last_seen=?8, last_seen_ns=?9"));
    query.integer(n.slot).blob(n.name).blob(n.address).integer(n.key).integer(n.epoch).integer(n.instance);
    query.integer(n.fenced ? 1 : 0);
    query.integer(static_cast<uint64_t>(n.last_seen.seconds)).integer(n.last_seen.nanoseconds);
    if (auto ok = query.done(); !ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<std::vector<NodeRecord>> Catalog::nodes() {
  Query query(impl_->sql(
      "SELECT slot, name, address, key, epoch, instance, fenced, last_seen, last_seen_ns FROM nodes ORDER BY slot"));
  std::vector<NodeRecord> all;
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return all;
    NodeRecord n;
    n.slot = query.u32(0);
    n.name = query.text(1);
    n.address = query.text(2);
    n.key = query.u64(3);
    n.epoch = query.u64(4);
    n.instance = query.u64(5);
    n.fenced = query.u32(6) != 0;
    n.last_seen = {query.i64(7), query.u32(8)};
    all.push_back(std::move(n));
  }
}

Result<void> Catalog::erase_node(uint32_t slot) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql("DELETE FROM nodes WHERE slot = ?"));
    if (auto ok = query.integer(slot).done(); !ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

Result<uint32_t> Catalog::slot_for(std::string_view name) {
  auto all = nodes();
  if (!all) return all.error();
  for (const NodeRecord& n : *all) {
    if (n.name == name) return n.slot;
  }
  uint32_t free = 1;
  for (const NodeRecord& n : *all) {
    if (n.slot == free) ++free;  // ascending
  }
  if (free > impl_->limits().node_slots) {
    return error(Errc::no_space,
                 "node '{}' is one too many: the volume was made with {} node slots (mkfs -j {}) and all are taken",
                 name, impl_->limits().node_slots, impl_->limits().node_slots);
  }
  return free;
}

}  // namespace pnfs::volume
