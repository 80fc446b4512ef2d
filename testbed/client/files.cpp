// Open files and their data through the MDS.
#include "testbed/client/file_system.hpp"

namespace pnfs::client {

using namespace nfs;

OpenHow OpenHow::create_new(uint32_t mode) {
  OpenHow how;
  how.access = OPEN4_SHARE_ACCESS_BOTH;
  how.create = true;
  how.attributes.mode = mode;
  return how;
}

void FileSystem::take_open(OpenFile& file, const OPEN4resok& res) {
  file.stateid = res.stateid;
  file.open = true;
  file.delegation = res.delegation.delegation_type;
  if (file.delegation == OPEN_DELEGATE_READ) file.delegation_stateid = res.delegation.read.stateid;
  if (file.delegation == OPEN_DELEGATE_WRITE) file.delegation_stateid = res.delegation.write.stateid;
  if (file.delegation == OPEN_DELEGATE_NONE_EXT) file.delegation = OPEN_DELEGATE_NONE;
}

io::Task<Outcome<FilePtr>> FileSystem::open(std::string path, OpenHow how) {
  const size_t slash = path.rfind('/');
  const std::string directory_path = slash == path.npos ? "" : path.substr(0, slash);
  const std::string name = slash == path.npos ? path : path.substr(slash + 1);
  auto directory = co_await lookup(directory_path);
  if (!directory) co_return directory.error();
  ++exclusive_creates_;
  auto reply = co_await run([this, &directory, &how, &name] {
    Arena arena;
    OPEN4args args;
    args.share_access = how.access;
    args.share_deny = how.deny;
    args.owner.clientid = session_->clientid();
    args.owner.owner.bytes = std::as_bytes(std::span(how.owner));
    if (how.create) {
      args.openhow.opentype = OPEN4_CREATE;
      createhow4& create = args.openhow.how;
      create.mode = how.mode.value_or(UNCHECKED4);
      create.createattrs = how.attributes.encode(arena);
      create.createverf = create.ch_createboth.cva_verf = verifier_;
      create.createverf.bytes[7] = create.ch_createboth.cva_verf.bytes[7] = static_cast<std::byte>(exclusive_creates_);
      create.ch_createboth.cva_attrs = create.createattrs;
    }
    args.claim.file.text = name;
    auto compound = Compound::in_session();
    compound->putfh(*directory).add(OP_OPEN, args).add(OP_GETFH).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& open = (*reply)->get<OPEN4res>(OP_OPEN);
  const auto& fh = (*reply)->get<GETFH4res>(OP_GETFH);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  // Another open of the same file by the same owner is the same open at the server.
  FilePtr file;
  for (const FilePtr& other : open_files())
    if (other->stateid.other == open.resok4.stateid.other) file = other;
  if (!file) {
    file = std::make_shared<OpenFile>();
    files_.push_back(file);
  }
  file->path = path;
  file->fh.assign(fh.resok4.object.bytes.begin(), fh.resok4.object.bytes.end());
  file->access |= how.access;
  file->deny |= how.deny;
  file->owner = how.owner;
  take_open(*file, open.resok4);
  co_return file;
}

io::Task<Outcome<>> FileSystem::close(FilePtr file) {
  if (!file->open) co_return Outcome<>{};
  if (!file->uncommitted.empty()) {
    auto committed = co_await commit_striped(file);
    if (!committed) co_return committed.error();
  }
  if (file->layout) {
    if (!file->dirty_from.empty()) {
      auto told = co_await layoutcommit(file);
      if (!told) co_return told.error();
    }
    auto returned = co_await layoutreturn(file);
    if (!returned) co_return returned.error();
  }
  if (file->delegation != OPEN_DELEGATE_NONE) co_await return_delegation(file);
  auto reply = co_await run([&file] {
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_CLOSE, CLOSE4args{0, file->stateid}).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<CLOSE4res>(OP_CLOSE);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  file->open = false;
  co_return Outcome<>{};
}

io::Task<Outcome<ReadData>> FileSystem::read(FilePtr file, uint64_t offset, uint32_t count) {
  auto reply = co_await run([this, &file, offset, count] {
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_READ, READ4args{file->stateid, offset, std::min(count, io_bytes())});
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<READ4res>(OP_READ);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  ReadData data;
  data.bytes.assign(res.resok4.data.bytes.begin(), res.resok4.data.bytes.end());
  data.eof = res.resok4.eof;
  co_return data;
}

io::Task<Outcome<Written>> FileSystem::write(FilePtr file, uint64_t offset, std::span<const std::byte> data,
                                             stable_how4 stable) {
  // The caller's bytes are referenced by the call, which may live on in the connection's queue: they need an owner.
  const auto copy = std::make_shared<const std::vector<std::byte>>(
      data.begin(), data.begin() + static_cast<ptrdiff_t>(std::min<size_t>(data.size(), io_bytes())));
  auto reply = co_await run([&file, offset, copy, stable] {
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_WRITE, WRITE4args{file->stateid, offset, stable, {*copy}});
    compound->hold(copy);
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<WRITE4res>(OP_WRITE);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return Written{res.resok4.count, res.resok4.committed, res.resok4.writeverf};
}

io::Task<Outcome<verifier4>> FileSystem::commit(FilePtr file) {
  auto reply = co_await run([&file] {
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_COMMIT, COMMIT4args{0, 0});
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<COMMIT4res>(OP_COMMIT);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return res.resok4.writeverf;
}

io::Task<Outcome<>> FileSystem::truncate(FilePtr file, uint64_t size) {
  auto reply = co_await run([&file, size] {
    Arena arena;
    NewAttributes attributes;
    attributes.size = size;
    SETATTR4args args;
    args.stateid = file->stateid;
    args.obj_attributes = attributes.encode(arena);
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_SETATTR, args).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<SETATTR4res>(OP_SETATTR);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return Outcome<>{};
}

io::Task<void> FileSystem::return_delegation(FilePtr file) {
  const stateid4 stateid = file->delegation_stateid;
  file->delegation = OPEN_DELEGATE_NONE;
  auto reply = co_await run([&file, stateid] {
    auto compound = Compound::in_session();
    compound->putfh(file->fh).add(OP_DELEGRETURN, DELEGRETURN4args{stateid}).cache();
    return compound;
  });
  (void)reply;  // a delegation that is gone already is as good as returned
}

}  // namespace pnfs::client
