// Layouts and data.
#include "tests/sim/pnfs_actor.hpp"

namespace pnfs::cluster {

using namespace nfs;
using client::Compound;
using namespace std::chrono_literals;

namespace {

stateid4 for_data_server(stateid4 stateid) {
  stateid.seqid = 0;  // RFC 8881 13.9.1
  return stateid;
}

}  // namespace

// ---- layouts

io::Task<bool> PnfsActor::get_layout(File& file, bool rw) {
  // While an old request may still reach a data server a new layout would let it in.
  if (any_given_up()) {
    std::vector<io::Endpoint> wanted;
    for (const auto& [at, server] : data_servers_)
      if (server.given_up) wanted.push_back(at);
    for (const auto& at : wanted) {
      const bool reached = co_await reach(at);
      if (!reached) co_return false;
    }
  }
  auto answer = co_await ask([&file, rw] {
    LAYOUTGET4args args;
    args.loga_iomode = rw ? LAYOUTIOMODE4_RW : LAYOUTIOMODE4_READ;
    args.loga_length = NFS4_UINT64_MAX;
    args.loga_minlength = 4096;
    args.loga_stateid = file.layout ? file.layout->stateid : file.stateid;
    args.loga_maxcount = 4096;
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_LAYOUTGET, args).cache();
    return compound;
  });
  if (!answer.ok()) {
    if (answer.refused()) world_.mark("no layout");
    if (answer.status == NFS4ERR_BAD_STATEID || answer.status == NFS4ERR_STALE) file.open = false;
    if (file.layout && answer.refused()) co_await return_layout(file);
    co_return false;
  }
  answer.reply->ok(OP_PUTFH);
  const auto& res = answer.reply->get<LAYOUTGET4res>(OP_LAYOUTGET).logr_resok4;
  if (!file.layout) file.layout.emplace();
  file.layout_life = session_life_;
  file.layout->stateid = res.logr_stateid;
  for (const layout4& one : res.logr_layout) {
    auto segment = client::read_layout(one);
    if (!segment) {
      world_.fail(name_ + ": a malformed layout");
      co_return false;
    }
    file.layout->segments.push_back(std::move(*segment));
  }
  std::vector<deviceid4> unknown;
  for (const auto& segment : file.layout->segments)
    if (!devices_.contains(segment.device)) unknown.push_back(segment.device);
  for (const deviceid4& id : unknown) {
    auto told = co_await ask([id] {
      GETDEVICEINFO4args args;
      args.gdia_device_id = id;
      args.gdia_maxcount = 16384;
      auto compound = Compound::in_session();
      compound->add(OP_GETDEVICEINFO, args);
      return compound;
    });
    if (!told.ok()) continue;
    auto device = client::read_device(id, told.reply->get<GETDEVICEINFO4res>(OP_GETDEVICEINFO).gdir_resok4.gdir_device_addr);
    if (device) devices_.insert_or_assign(id, std::move(*device));
  }
  co_return true;
}

io::Task<std::optional<PnfsActor::Place>> PnfsActor::place_of(File& file, uint32_t cell, uint32_t count, bool rw) {
  const layoutiomode4 mode = rw ? LAYOUTIOMODE4_RW : LAYOUTIOMODE4_READ;
  if (!file.layout || file.layout->find(DataModel::offset_of(cell), mode) == nullptr) {
    const bool got = co_await get_layout(file, rw);
    if (!got) co_return std::nullopt;
  }
  co_return known_place(file, cell, count, rw);
}

// By the layout that is there.
std::optional<PnfsActor::Place> PnfsActor::known_place(const File& file, uint32_t cell, uint32_t count, bool rw) const {
  const uint64_t offset = DataModel::offset_of(cell);
  const layoutiomode4 mode = rw ? LAYOUTIOMODE4_RW : LAYOUTIOMODE4_READ;
  const client::LayoutSegment* segment = file.layout ? file.layout->find(offset, mode) : nullptr;
  if (segment == nullptr) return std::nullopt;
  const auto device = devices_.find(segment->device);
  if (device == devices_.end()) return std::nullopt;
  const auto place = client::place_of(*segment, device->second, offset);
  if (!place) return std::nullopt;
  Place out;
  out.at = device->second.data_servers[place->data_server].front();
  out.fh = segment->handles.empty() ? file.fh : segment->handles[place->handle];
  out.offset = place->offset;
  out.cells = std::min(count, static_cast<uint32_t>(place->bytes / DataModel::kCellBytes));
  return out;
}

std::vector<PnfsActor::Place> PnfsActor::places_of(File& file) {
  std::vector<Place> places;
  if (!file.layout) return places;
  for (const auto& segment : file.layout->segments) {
    const auto device = devices_.find(segment.device);
    if (device == devices_.end()) continue;
    const auto place = client::place_of(segment, device->second, 0);
    if (place)
      places.push_back({device->second.data_servers[place->data_server].front(), segment.handles[place->handle],
                        place->offset, 1});
  }
  return places;
}

io::Task<void> PnfsActor::return_layout(File& file) {
  if (!file.layout) co_return;
  const uint64_t life = file.layout_life;
  const stateid4 stateid = file.layout->stateid;
  auto answer = co_await ask([&file] {
    LAYOUTRETURN4args args;
    args.lora_iomode = LAYOUTIOMODE4_ANY;
    args.lora_layoutreturn.lr_layout.lrf_length = NFS4_UINT64_MAX;
    args.lora_layoutreturn.lr_layout.lrf_stateid = file.layout ? file.layout->stateid : stateid4{};
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_LAYOUTRETURN, args).cache();
    return compound;
  });
  if (file.layout && file.layout->stateid.other == stateid.other) file.layout.reset();
  // After the answer no data server lets anything in under this layout (RFC 8881 13.11).
  if (!answer.ok() || life != session_life_ || life != world_.mds_lives) co_return;
  fence_writes(file);
  if (any_given_up()) {
    for (auto& [at, server] : data_servers_)
      for (const WriteId write : server.orphans) world_.model.fenced(write);
  }
}

io::Task<nfsstat4> PnfsActor::callback(nfs_cb_opnum4 op, const void* args, void*) {
  if (op != OP_CB_LAYOUTRECALL) co_return NFS4_OK;
  const auto& recall = *static_cast<const CB_LAYOUTRECALL4args*>(args);
  world_.mark("recall");
  bool any = false;
  for (File& file : files_) {
    const auto& wanted = recall.clora_recall.lor_layout.lor_fh.bytes;
    const bool this_one = recall.clora_recall.lor_recalltype != LAYOUTRECALL4_FILE ||
                          std::equal(wanted.begin(), wanted.end(), file.fh.begin(), file.fh.end());
    if (!file.layout || !this_one) continue;
    any = true;
    if (recall.clora_recall.lor_recalltype == LAYOUTRECALL4_FILE)
      file.layout->stateid = recall.clora_recall.lor_layout.lor_stateid;
    if (file.recalled) continue;
    file.recalled = true;
    tasks_->spawn("layout recall", return_recalled(file));
  }
  co_return any ? NFS4_OK : NFS4ERR_NOMATCHING_LAYOUT;
}

io::Task<void> PnfsActor::return_recalled(File& file) {
  struct Done {
    PnfsActor& actor;
    File& file;
    ~Done() {
      file.recalled = false;
      actor.changed_.notify_all();
    }
  } over{*this, file};
  while (file.users > 0) co_await changed_.wait();
  co_await return_layout(file);
}

// ---- writes

io::Task<void> PnfsActor::write(File& file, uint32_t cell, uint32_t count, stable_how4 stable, bool by_layout) {
  while (count > 0 && !world_.over) {
    if (!file.open || !file.writable) co_return;
    if (by_layout) {
      while (file.recalled) co_await changed_.wait();
      const bool went = co_await write_by_layout(file, cell, count, stable);
      if (went) continue;
      if (world_.over || !file.open) co_return;
      world_.mark("resend through the MDS");
    }
    co_await write_by_mds(file, cell, count, stable);
    co_return;
  }
}

// One piece, to one data server; false: what is left has to go through the MDS.
io::Task<bool> PnfsActor::write_by_layout(File& file, uint32_t& cell, uint32_t& count, stable_how4 stable) {
  struct Use {
    PnfsActor& actor;
    File& file;
    ~Use() {
      --file.users;
      actor.changed_.notify_all();
    }
  };
  ++file.users;
  const Use use{*this, file};
  auto place = co_await place_of(file, cell, count, true);
  if (!place || !file.open) co_return false;
  const DataModel::FileNo number = file.number;
  const WriteId id = world_.model.begin_write(number, cell, place->cells);
  const uint64_t since = world_.model.now();
  const auto bytes = std::make_shared<const std::vector<std::byte>>(DataModel::content(number, id, cell, place->cells));
  file.on_the_way.insert(id);
  const stateid4 stateid = for_data_server(file.stateid);
  auto answer = co_await ask_data_server(place->at, [&place, stateid, stable, bytes] {
    auto compound = Compound::in_session();
    compound->putfh(place->fh).add(OP_WRITE, WRITE4args{stateid, place->offset, stable, {*bytes}});
    compound->hold(bytes);
    return compound;
  });
  file.on_the_way.erase(id);
  if (answer.ok()) {
    answer.reply->ok(OP_PUTFH);
    const WRITE4resok res = answer.reply->get<WRITE4res>(OP_WRITE).resok4;
    if (res.count != bytes->size()) world_.fail(fmt::format("{}: a WRITE of {} wrote {}", name_, bytes->size(), res.count));
    if (res.committed < stable) world_.fail(name_ + ": a WRITE is less stable than was asked for");
    world_.model.answered(id, res.committed != UNSTABLE4);
    if (res.committed == FILE_SYNC4) world_.model.at_least(number, cell + place->cells, since);
    world_.mark(stable == UNSTABLE4 ? "unstable write" : stable == DATA_SYNC4 ? "data sync write" : "file sync write");
    if (res.committed == UNSTABLE4)
      file.uncommitted.push_back({id, place->at, res.writeverf, cell + place->cells, since});
    cell += place->cells;
    count -= place->cells;
    file.dirty_cells = std::max(file.dirty_cells, cell);
    co_return true;
  }
  if (answer.refused()) {
    world_.model.dead(id);
    world_.mark(answer.status == NFS4ERR_PNFS_NO_LAYOUT ? "no layout at a data server" : "refused by a data server");
    // A stateid that the data server says is dead: the MDS will say so too, if it is.
  } else {
    data_servers_[place->at].orphans.insert(id);
    give_up(place->at);
    world_.mark("data server given up");
  }
  co_await return_layout(file);
  co_return false;
}

io::Task<void> PnfsActor::write_by_mds(File& file, uint32_t cell, uint32_t count, stable_how4 stable) {
  const DataModel::FileNo number = file.number;
  const WriteId id = world_.model.begin_write(number, cell, count);
  const uint64_t since = world_.model.now();
  at_mds_.insert(id);
  const auto bytes = std::make_shared<const std::vector<std::byte>>(DataModel::content(number, id, cell, count));
  auto answer = co_await ask([&file, cell, stable, bytes] {
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_WRITE, WRITE4args{file.stateid, DataModel::offset_of(cell), stable, {*bytes}});
    compound->hold(bytes);
    return compound;
  });
  if (!answer.reply) co_return;
  at_mds_.erase(id);
  if (!answer.ok()) {
    world_.model.dead(id);
    file.open = false;
    co_return;
  }
  answer.reply->ok(OP_PUTFH);
  const WRITE4resok res = answer.reply->get<WRITE4res>(OP_WRITE).resok4;
  if (res.count != bytes->size()) world_.fail(fmt::format("{}: a WRITE at the MDS of {} wrote {}", name_, bytes->size(), res.count));
  world_.model.answered(id, res.committed != UNSTABLE4);
  world_.model.at_least(number, cell + count, since);
  world_.mark("write at the MDS");
  if (res.committed == UNSTABLE4)
    file.uncommitted.push_back({id, world_.cluster.mds_address(), res.writeverf, cell + count, since});
}

io::Task<void> PnfsActor::commit(File& file) {
  const DataModel::FileNo number = file.number;
  std::vector<Uncommitted> writes = std::exchange(file.uncommitted, {});
  const bool thru_mds =
      file.layout && !file.layout->segments.empty() && file.layout->segments.front().commit_through_mds();
  std::set<io::Endpoint> servers;
  for (const auto& write : writes) servers.insert(write.at);
  // 13.7: under COMMIT_THRU_MDS the MDS's verifier speaks for the data servers.
  const auto mds = world_.cluster.mds_address();
  if (thru_mds && !writes.empty()) servers = {mds};
  std::map<io::Endpoint, client::Fh> handles;
  for (uint32_t cell = 0; cell < DataModel::kCells && !thru_mds; cell += 16) {
    auto place = co_await place_of(file, cell, 1, false);
    if (!place) break;
    handles[place->at] = place->fh;
  }
  for (const auto& at : servers) {
    if (world_.over) co_return;
    const client::Fh fh = at == mds ? file.fh : handles[at];
    if (fh.empty()) continue;  // no layout any more: what was written stays uncommitted
    Build build = [fh] {
      auto compound = Compound::in_session();
      compound->putfh(fh).add(OP_COMMIT, COMMIT4args{0, 0});
      return compound;
    };
    Answer answer;
    if (at == mds) {
      answer = co_await ask(build);
    } else {
      answer = co_await ask_data_server(at, build);
    }
    if (!answer.ok()) continue;
    answer.reply->ok(OP_PUTFH);
    const verifier4 now = answer.reply->get<COMMIT4res>(OP_COMMIT).resok4.writeverf;
    for (const auto& write : writes) {
      if (write.at != at && !thru_mds) continue;
      if (write.verifier == now) {
        world_.model.committed(write.write);
        // No LAYOUTCOMMIT need follow: through the MDS Linux sends none, and the MDS may die before it comes.
        world_.model.at_least(number, write.end, write.since);
        world_.mark("commit");
      } else {
        world_.mark("verifier change");
      }
    }
  }
}

io::Task<void> PnfsActor::layout_commit(File& file) {
  if (!file.layout || file.dirty_cells == 0) co_return;
  const uint32_t cells = std::exchange(file.dirty_cells, 0);
  const DataModel::FileNo number = file.number;
  const uint64_t since = world_.model.now();
  auto answer = co_await ask([&file, cells] {
    LAYOUTCOMMIT4args args;
    args.loca_length = NFS4_UINT64_MAX;
    args.loca_stateid = file.layout ? file.layout->stateid : stateid4{};
    args.loca_last_write_offset.no_newoffset = true;
    args.loca_last_write_offset.no_offset = DataModel::offset_of(cells - 1) + DataModel::kCellBytes - 1;
    auto compound = Compound::in_session();
    compound->putfh(file.fh).add(OP_LAYOUTCOMMIT, args).cache();
    return compound;
  });
  if (!answer.ok()) co_return;
  world_.mark("layout commit");
  world_.model.at_least(number, cells, since);
}

// ---- reads

io::Task<void> PnfsActor::read(File& file, uint32_t cell, uint32_t count, bool by_layout) {
  while (count > 0 && !world_.over && file.open) {
    Answer answer;
    uint32_t cells = count;
    const auto id = world_.model.begin_read(file.number, cell, count);
    std::string from = "the MDS";
    if (by_layout) {
      while (file.recalled) co_await changed_.wait();
      auto place = co_await place_of(file, cell, count, false);
      if (place && file.open) {
        cells = place->cells;
        from = io::to_string(place->at);
        answer = co_await read_at(file, *place);
      }
    }
    const bool by_mds = !answer.ok();
    if (by_mds) {
      cells = count;
      from = "the MDS";
      answer = co_await ask([&file, cell, cells] {
        auto compound = Compound::in_session();
        compound->putfh(file.fh).add(
            OP_READ, READ4args{file.stateid, DataModel::offset_of(cell), static_cast<count4>(cells * DataModel::kCellBytes)});
        return compound;
      });
    }
    if (!answer.ok()) {
      world_.model.drop_read(id);
      if (answer.reply) file.open = false;
      co_return;
    }
    world_.mark(by_mds ? "read at the MDS" : "read at a data server");
    judge_read(file, cell, cells, id, answer, from);
    cell += cells;
    count -= cells;
  }
}

io::Task<PnfsActor::Answer> PnfsActor::read_at(File& file, Place place) {
  ++file.users;
  const READ4args args{for_data_server(file.stateid), place.offset, static_cast<count4>(place.cells * DataModel::kCellBytes)};
  auto answer = co_await ask_data_server(place.at, [&place, args] {
    auto compound = Compound::in_session();
    compound->putfh(place.fh).add(OP_READ, args);
    return compound;
  });
  --file.users;
  changed_.notify_all();
  if (!answer.reply) give_up(place.at);
  co_return answer;
}

void PnfsActor::judge_read(const File& file, uint32_t cell, uint32_t cells, DataModel::ReadId id, const Answer& answer,
                           const std::string& from) {
  answer.reply->ok(OP_PUTFH);
  const auto& res = answer.reply->get<READ4res>(OP_READ).resok4;
  const std::string why = world_.model.end_read(id, res.data.bytes, cells);
  if (!why.empty()) world_.fail(fmt::format("{} read {} cells from {} of file {} at {}: {}", name_, cells, cell, file.name, from, why));
  if (!res.eof && res.data.size() != cells * DataModel::kCellBytes)
    world_.fail(fmt::format("{}: a READ of {} cells got {} bytes and no eof", name_, cells, res.data.size()));
}

io::Task<void> PnfsActor::probe(client::Fh fh, DataModel::FileNo number, stateid4 stateid, std::vector<Place> places) {
  for (const Place& place : places) {
    const auto bytes = std::make_shared<const std::vector<std::byte>>(DataModel::content(number, UINT32_MAX, 0, 1));
    auto answer = co_await ask_data_server(place.at, [&place, stateid, bytes] {
      auto compound = Compound::in_session();
      compound->putfh(place.fh).add(OP_WRITE, WRITE4args{for_data_server(stateid), place.offset, UNSTABLE4, {*bytes}});
      compound->hold(bytes);
      return compound;
    });
    if (answer.ok()) world_.fail(fmt::format("{}: {} took a WRITE with a stateid that is dead", name_, io::to_string(place.at)));
    if (answer.refused()) world_.mark("dead stateid refused");
  }
  (void)fh;
}

}  // namespace pnfs::cluster
