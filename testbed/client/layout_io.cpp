// Data through a layout: LAYOUTGET, devices, data servers, LAYOUTCOMMIT, LAYOUTRETURN (RFC 8881 12, 13).
#include "testbed/client/file_system.hpp"

namespace pnfs::client {

using namespace nfs;

io::Task<Outcome<>> FileSystem::layoutget(FilePtr file, layoutiomode4 iomode, uint64_t offset, uint64_t length,
                                          uint64_t minlength) {
  auto reply = co_await run([&file, iomode, offset, length, minlength] {
    LAYOUTGET4args args;
    args.loga_iomode = iomode;
    args.loga_offset = offset;
    args.loga_length = length;
    args.loga_minlength = minlength;
    // The first one under the open's stateid, later ones under the layout's (RFC 8881 12.5.2).
    args.loga_stateid = file->layout ? file->layout->stateid : file->stateid;
    args.loga_maxcount = 4096;
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_LAYOUTGET, args).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<LAYOUTGET4res>(OP_LAYOUTGET);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  if (!file->layout) file->layout.emplace();
  file->layout->stateid = res.logr_resok4.logr_stateid;
  file->layout->return_on_close = res.logr_resok4.logr_return_on_close;
  for (const layout4& one : res.logr_resok4.logr_layout) {
    auto segment = read_layout(one);
    if (!segment) co_return Failure{NFS4_OK, OP_LAYOUTGET, error(Errc::protocol, "LAYOUTGET: a malformed layout")};
    file->layout->segments.push_back(std::move(*segment));
  }
  co_return Outcome<>{};
}

io::Task<Outcome<const Device*>> FileSystem::device(deviceid4 id) {
  if (const auto it = devices_.find(id); it != devices_.end()) co_return &it->second;
  const bool wants_notices = options_.wants_device_notices;
  auto reply = co_await run([&id, wants_notices] {
    GETDEVICEINFO4args args;
    args.gdia_device_id = id;
    args.gdia_maxcount = 16384;
    if (wants_notices) args.gdia_notify_types = {NOTIFY_DEVICEID4_CHANGE, NOTIFY_DEVICEID4_DELETE};
    auto compound = Compound::in_session();
    compound->add(OP_GETDEVICEINFO, args);
    return compound;
  });
  if (!reply) co_return reply.error();
  const auto& res = (*reply)->get<GETDEVICEINFO4res>(OP_GETDEVICEINFO);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  auto device = read_device(id, res.gdir_resok4.gdir_device_addr);
  if (!device)
    co_return Failure{NFS4_OK, OP_GETDEVICEINFO, error(Errc::protocol, "GETDEVICEINFO: a malformed device address")};
  co_return &devices_.insert_or_assign(id, std::move(*device)).first->second;
}

io::Task<Outcome<Session*>> FileSystem::data_server(std::vector<io::Endpoint> addresses) {
  const auto known = [this, &addresses]() -> Session* {
    const auto it = std::ranges::find(data_servers_, addresses, &DataServer::addresses);
    return it == data_servers_.end() ? nullptr : it->session.get();
  };
  if (Session* session = known()) co_return session;
  // Two at once under one owner would undo each other's client ids (18.35.4).
  while (connecting_) co_await connected_.wait();
  if (Session* session = known()) co_return session;
  connecting_ = true;
  const auto over = [this](void*) {
    connecting_ = false;
    connected_.notify_all();
  };
  const std::unique_ptr<void, decltype(over)> guard(this, over);
  // 13.5: any address of a data server is as good as another; the first that answers is taken.
  std::unique_ptr<Session> session;
  Failure failure;
  for (const io::Endpoint& address : addresses) {
    auto one = std::make_unique<Session>(rpc_, timers_, setup_for(address, true));
    auto established = co_await one->establish();
    if (established) {
      session = std::move(one);
      break;
    }
    failure = established.error();
  }
  if (!session) co_return failure;
  Session* raw = session.get();
  data_servers_.push_back({std::move(addresses), std::move(session)});
  co_return raw;
}

size_t FileSystem::number_of(const Session* session) const {
  size_t number = 0;
  while (number < data_servers_.size() && data_servers_[number].session.get() != session) ++number;
  return number;
}

io::Task<Outcome<FileSystem::Target>> FileSystem::target_of(FilePtr file, uint64_t offset, uint64_t left,
                                                            layoutiomode4 iomode) {
  if (!file->layout || file->layout->find(offset, iomode) == nullptr) {
    auto got = co_await layoutget(file, iomode, offset);
    if (!got) co_return got.error();
  }
  const LayoutSegment* found = file->layout ? file->layout->find(offset, iomode) : nullptr;
  if (found == nullptr)
    co_return Failure{NFS4_OK, OP_LAYOUTGET, error(Errc::protocol, "the layout does not cover offset {}", offset)};
  const LayoutSegment segment = *found;
  auto device = co_await this->device(segment.device);
  if (!device) co_return device.error();
  const auto place = place_of(segment, **device, offset);
  if (!place) co_return Failure{NFS4_OK, OP_GETDEVICEINFO, error(Errc::protocol, "the layout does not fit its device")};
  const auto addresses = (*device)->data_servers[place->data_server];
  auto session = co_await data_server(addresses);
  if (!session) co_return session.error();
  Target target{*session, segment.handles.empty() ? file->fh : segment.handles[place->handle], place->offset, 0};
  target.bytes = std::min<uint64_t>({left, place->bytes, io_bytes()});
  co_return target;
}

// At a data server: DELAY is waited out, a forgotten session made again (it holds no state of ours).
io::Task<Outcome<ReplyPtr>> FileSystem::run_at(Session& session, Build build) {
  const TimePoint give_up = timers_.now() + options_.patience;
  Duration pause = std::chrono::milliseconds(20);
  for (uint32_t again = 0;;) {
    auto reply = co_await session.run(build());
    if (!reply) {
      const Failure& failure = reply.error();
      const bool lost =
          failure.is(NFS4ERR_BADSESSION) || failure.is(NFS4ERR_DEADSESSION) || failure.is(NFS4ERR_STALE_CLIENTID);
      if (!lost || ++again > 3) co_return failure;
      auto established = co_await session.establish();
      if (!established) co_return established.error();
      continue;
    }
    if ((*reply)->status() != NFS4ERR_DELAY || timers_.now() + pause > give_up) co_return std::move(*reply);
    co_await timers_.sleep(pause);
    pause = std::min<Duration>(pause * 2, std::chrono::seconds(2));
  }
}

namespace {

// Keeps a recall waiting while I/O is on its way.
struct LayoutUse {
  LayoutUse(OpenFile& file, io::Event& idle) : file(file), idle(idle) { ++file.layout_users; }
  ~LayoutUse() {
    if (--file.layout_users == 0) idle.notify_all();
  }
  OpenFile& file;
  io::Event& idle;
};

// A data server's stateid has seqid 0 (RFC 8881 13.9.1): the open may change meanwhile.
stateid4 for_data_server(stateid4 stateid) {
  stateid.seqid = 0;
  return stateid;
}

}  // namespace

io::Task<Outcome<>> FileSystem::write_striped(FilePtr file, uint64_t offset, std::span<const std::byte> data,
                                              stable_how4 stable) {
  while (!data.empty()) {
    while (file->layout_recalled) co_await layout_idle_.wait();
    auto target = co_await target_of(file, offset, data.size(), LAYOUTIOMODE4_RW);
    if (!target) co_return target.error();
    if (!file->layout) continue;  // recalled meanwhile
    const LayoutUse use(*file, layout_idle_);
    const auto copy = std::make_shared<const std::vector<std::byte>>(
        data.begin(), data.begin() + static_cast<ptrdiff_t>(target->bytes));
    auto reply = co_await run_at(*target->session, [&file, &target, &copy, stable] {
      auto compound = Compound::in_session();
      compound->putfh(target->fh);
      compound->add(OP_WRITE, WRITE4args{for_data_server(file->stateid), target->offset, stable, {*copy}});
      compound->hold(copy);
      return compound;
    });
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_PUTFH);
    const WRITE4resok res = (*reply)->get<WRITE4res>(OP_WRITE).resok4;
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    if (res.count == 0 || res.count > target->bytes)
      co_return Failure{NFS4_OK, OP_WRITE,
                        error(Errc::protocol, "WRITE of {} bytes wrote {}", target->bytes, res.count)};
    if (res.committed == UNSTABLE4)
      file->uncommitted.emplace(number_of(target->session), OpenFile::Uncommitted{res.writeverf, target->fh});
    file->dirty_from.insert(offset);
    offset += res.count;
    file->written_end = std::max(file->written_end, offset);
    data = data.subspan(res.count);
  }
  co_return Outcome<>{};
}

// What the MDS says, or more if we have written beyond it and not said so yet.
io::Task<Outcome<uint64_t>> FileSystem::size_of(FilePtr file) {
  const bitmap4 only_size{FATTR4_SIZE};
  auto attributes = co_await getattr_fh(file->fh, only_size);
  if (!attributes) co_return attributes.error();
  const uint64_t ours = file->dirty_from.empty() ? 0 : file->written_end;
  co_return std::max(attributes->size.value_or(0), ours);
}

io::Task<Outcome<ReadData>> FileSystem::read_striped(FilePtr file, uint64_t offset, uint32_t count) {
  ReadData data;
  while (data.bytes.size() < count && !data.eof) {
    while (file->layout_recalled) co_await layout_idle_.wait();
    const uint64_t left = count - data.bytes.size();
    auto target = co_await target_of(file, offset, left, LAYOUTIOMODE4_READ);
    if (!target) co_return target.error();
    if (!file->layout) continue;
    const LayoutUse use(*file, layout_idle_);
    auto reply = co_await run_at(*target->session, [&file, &target] {
      auto compound = Compound::in_session();
      const READ4args args{for_data_server(file->stateid), target->offset, static_cast<count4>(target->bytes)};
      compound->putfh(target->fh).add(OP_READ, args);
      return compound;
    });
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<READ4res>(OP_READ).resok4;
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    if (res.data.size() > target->bytes || (res.data.size() == 0 && !res.eof))
      co_return Failure{NFS4_OK, OP_READ,
                        error(Errc::protocol, "READ of {} bytes got {}", target->bytes, res.data.size())};
    data.bytes.insert(data.bytes.end(), res.data.bytes.begin(), res.data.bytes.end());
    offset += res.data.size();
    if (!res.eof) continue;
    // RFC 8881 13.10: it is the end of what this data server knows. Only the file's size says whether it is the file's;
    // before that, what is missing of this piece is a hole.
    const uint64_t missing = target->bytes - res.data.size();
    auto size = co_await size_of(file);
    if (!size) co_return size.error();
    const uint64_t hole = std::min(missing, *size > offset ? *size - offset : 0);
    data.bytes.resize(data.bytes.size() + hole);
    offset += hole;
    data.eof = offset >= *size;
  }
  co_return data;
}

io::Task<Outcome<>> FileSystem::commit_striped(FilePtr file) {
  const LayoutUse use(*file, layout_idle_);
  const bool through_mds =
      file->layout && !file->layout->segments.empty() && file->layout->segments.front().commit_through_mds();
  bool changed = false;
  if (through_mds && !file->uncommitted.empty()) {
    auto verifier = co_await commit(file);
    if (!verifier) co_return verifier.error();
    for (const auto& [number, written] : file->uncommitted) changed = changed || written.verifier != *verifier;
    file->uncommitted.clear();
  }
  while (!file->uncommitted.empty()) {
    const size_t number = file->uncommitted.begin()->first;
    const OpenFile::Uncommitted written = file->uncommitted.begin()->second;
    Session* session = number < data_servers_.size() ? data_servers_[number].session.get() : nullptr;
    file->uncommitted.erase(file->uncommitted.begin());
    if (session == nullptr) continue;
    auto reply = co_await run_at(*session, [&written] {
      auto compound = Compound::in_session();
      compound->putfh(written.fh).add(OP_COMMIT, COMMIT4args{0, 0});
      return compound;
    });
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<COMMIT4res>(OP_COMMIT);
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    changed = changed || res.resok4.writeverf != written.verifier;
  }
  if (changed)
    co_return Failure{NFS4ERR_IO, OP_COMMIT, error(Errc::io, "the write verifier changed: the data may be lost")};
  co_return Outcome<>{};
}

io::Task<Outcome<>> FileSystem::layoutcommit(FilePtr file) {
  if (!file->layout || file->dirty_from.empty()) co_return Outcome<>{};
  auto reply = co_await run([&file] {
    LAYOUTCOMMIT4args args;
    args.loca_offset = *file->dirty_from.begin();
    args.loca_length = file->written_end - args.loca_offset;
    args.loca_stateid = file->layout ? file->layout->stateid : stateid4{};
    args.loca_last_write_offset.no_newoffset = true;
    args.loca_last_write_offset.no_offset = file->written_end - 1;
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_LAYOUTCOMMIT, args).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<LAYOUTCOMMIT4res>(OP_LAYOUTCOMMIT);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  file->dirty_from.clear();
  co_return Outcome<>{};
}

io::Task<Outcome<>> FileSystem::layoutreturn(FilePtr file) {
  if (!file->layout) co_return Outcome<>{};
  auto reply = co_await run([&file] {
    LAYOUTRETURN4args args;
    args.lora_iomode = LAYOUTIOMODE4_ANY;
    args.lora_layoutreturn.lr_layout.lrf_length = NFS4_UINT64_MAX;
    args.lora_layoutreturn.lr_layout.lrf_stateid = file->layout ? file->layout->stateid : stateid4{};
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_LAYOUTRETURN, args).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<LAYOUTRETURN4res>(OP_LAYOUTRETURN);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  file->layout.reset();
  co_return Outcome<>{};
}

}  // namespace pnfs::client
