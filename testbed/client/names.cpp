// Operations on names and attributes.
#include "testbed/client/file_system.hpp"

namespace pnfs::client {

using namespace nfs;

namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty()) parts.push_back(part);
    path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
  }
  return parts;
}

struct Split {
  std::string directory;
  std::string name;
};
Split parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {"", std::string(path)};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

}  // namespace

// Six names to a compound: servers may take as few as eight operations.
io::Task<Outcome<Fh>> FileSystem::lookup(std::string path) {
  Fh at = root_;
  const auto parts = split(path);
  constexpr size_t kNames = 5;
  for (size_t first = 0; first < parts.size(); first += kNames) {
    const size_t count = std::min(kNames, parts.size() - first);
    auto reply = co_await run([&at, &parts, first, count] {
      auto compound = Compound::in_session();
      compound->putfh(at);
      for (size_t i = first; i < first + count; ++i) compound->add(OP_LOOKUP, LOOKUP4args{{parts[i]}});
      compound->add(OP_GETFH);
      return compound;
    });
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_PUTFH);
    for (size_t i = 0; i < count; ++i) (*reply)->ok(OP_LOOKUP);
    const auto& fh = (*reply)->get<GETFH4res>(OP_GETFH).resok4.object;
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    at.assign(fh.bytes.begin(), fh.bytes.end());
  }
  co_return at;
}

io::Task<Outcome<Attributes>> FileSystem::getattr(std::string path) {
  auto fh = co_await lookup(std::move(path));
  if (!fh) co_return fh.error();
  co_return co_await getattr_fh(std::move(*fh));
}

io::Task<Outcome<Attributes>> FileSystem::getattr_fh(Fh fh, bitmap4 which) {
  auto reply = co_await run([&fh, &which] {
    auto compound = Compound::in_session();
    compound->putfh(fh).add(OP_GETATTR, GETATTR4args{which});
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<GETATTR4res>(OP_GETATTR);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  auto attributes = read_attributes(res.resok4.obj_attributes);
  if (!attributes) co_return Failure{NFS4_OK, OP_GETATTR, error(Errc::protocol, "GETATTR: malformed attributes")};
  co_return std::move(*attributes);
}

io::Task<Outcome<>> FileSystem::setattr(std::string path, NewAttributes attributes) {
  auto fh = co_await lookup(std::move(path));
  if (!fh) co_return fh.error();
  auto reply = co_await run([&fh, &attributes] {
    Arena arena;
    SETATTR4args args;
    args.obj_attributes = attributes.encode(arena);
    auto compound = Compound::in_session();
    compound->putfh(*fh).add(OP_SETATTR, args).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<SETATTR4res>(OP_SETATTR);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return Outcome<>{};
}

io::Task<Outcome<uint32_t>> FileSystem::access(std::string path, uint32_t wanted) {
  auto fh = co_await lookup(std::move(path));
  if (!fh) co_return fh.error();
  auto reply = co_await run([&fh, wanted] {
    auto compound = Compound::in_session();
    compound->putfh(*fh).add(OP_ACCESS, ACCESS4args{wanted});
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<ACCESS4res>(OP_ACCESS);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return res.resok4.access;
}

namespace {

// PUTFH of the directory and one more operation that may not run twice.
template <class Args>
FileSystem::Build in_directory(const Fh& directory, nfs_opnum4 op, const Args& args) {
  return [&directory, op, &args] {
    auto compound = Compound::in_session();
    compound->putfh(directory).add(op, args).cache();
    return compound;
  };
}

template <class Res>
Outcome<> finish(const Outcome<ReplyPtr>& reply, nfs_opnum4 op) {
  if (!reply) return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->template get<Res>(op);
  if (const auto& failure = (*reply)->failure()) return *failure;
  return {};
}

}  // namespace

io::Task<Outcome<>> FileSystem::mkdir(std::string path, uint32_t mode) {
  const Split split = parent_of(path);
  auto directory = co_await lookup(split.directory);
  if (!directory) co_return directory.error();
  Arena arena;
  NewAttributes attributes;
  attributes.mode = mode;
  CREATE4args args;
  args.objtype.type = NF4DIR;
  args.objname.text = split.name;
  args.createattrs = attributes.encode(arena);
  auto reply = co_await run(in_directory(*directory, OP_CREATE, args));
  co_return finish<CREATE4res>(reply, OP_CREATE);
}

io::Task<Outcome<>> FileSystem::symlink(std::string path, std::string target) {
  const Split split = parent_of(path);
  auto directory = co_await lookup(split.directory);
  if (!directory) co_return directory.error();
  CREATE4args args;
  args.objtype.type = NF4LNK;
  args.objtype.linkdata.text = target;
  args.objname.text = split.name;
  auto reply = co_await run(in_directory(*directory, OP_CREATE, args));
  co_return finish<CREATE4res>(reply, OP_CREATE);
}

io::Task<Outcome<std::string>> FileSystem::readlink(std::string path) {
  auto fh = co_await lookup(std::move(path));
  if (!fh) co_return fh.error();
  auto reply = co_await run([&fh] {
    auto compound = Compound::in_session();
    compound->putfh(*fh).add(OP_READLINK);
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const auto& res = (*reply)->get<READLINK4res>(OP_READLINK);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return std::string(res.resok4.link.text);
}

io::Task<Outcome<>> FileSystem::remove(std::string path) {
  const Split split = parent_of(path);
  auto directory = co_await lookup(split.directory);
  if (!directory) co_return directory.error();
  const REMOVE4args args{{split.name}};
  auto reply = co_await run(in_directory(*directory, OP_REMOVE, args));
  co_return finish<REMOVE4res>(reply, OP_REMOVE);
}

io::Task<Outcome<>> FileSystem::rename(std::string from, std::string to) {
  const Split source = parent_of(from);
  const Split target = parent_of(to);
  auto source_directory = co_await lookup(source.directory);
  if (!source_directory) co_return source_directory.error();
  auto target_directory = co_await lookup(target.directory);
  if (!target_directory) co_return target_directory.error();
  auto reply = co_await run([&] {
    auto compound = Compound::in_session();
    compound->putfh(*source_directory).add(OP_SAVEFH).putfh(*target_directory);
    compound->add(OP_RENAME, RENAME4args{{source.name}, {target.name}}).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->ok(OP_SAVEFH);
  co_return finish<RENAME4res>(reply, OP_RENAME);
}

io::Task<Outcome<>> FileSystem::link(std::string existing, std::string path) {
  const Split split = parent_of(path);
  auto fh = co_await lookup(std::move(existing));
  if (!fh) co_return fh.error();
  auto directory = co_await lookup(split.directory);
  if (!directory) co_return directory.error();
  auto reply = co_await run([&] {
    auto compound = Compound::in_session();
    compound->putfh(*fh).add(OP_SAVEFH).putfh(*directory).add(OP_LINK, LINK4args{{split.name}}).cache();
    return compound;
  });
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->ok(OP_SAVEFH);
  co_return finish<LINK4res>(reply, OP_LINK);
}

io::Task<Outcome<std::vector<DirectoryEntry>>> FileSystem::readdir(std::string path) {
  auto fh = co_await lookup(std::move(path));
  if (!fh) co_return fh.error();
  std::vector<DirectoryEntry> all;
  READDIR4args args;
  args.dircount = args.maxcount = 8192;
  args.attr_request = {FATTR4_TYPE, FATTR4_FILEID, FATTR4_SIZE, FATTR4_RDATTR_ERROR};
  for (;;) {
    auto reply = co_await run([&fh, &args] {
      auto compound = Compound::in_session();
      compound->putfh(*fh).add(OP_READDIR, args);
      return compound;
    });
    if (!reply) co_return reply.error();
    (*reply)->ok(OP_PUTFH);
    const auto& res = (*reply)->get<READDIR4res>(OP_READDIR);
    if (const auto& failure = (*reply)->failure()) co_return *failure;
    for (const entry4& entry : res.resok4.reply.entries) {
      auto attributes = read_attributes(entry.attrs);
      if (!attributes) co_return Failure{NFS4_OK, OP_READDIR, error(Errc::protocol, "READDIR: malformed attributes")};
      all.push_back({std::string(entry.name.text), entry.cookie, std::move(*attributes)});
      args.cookie = entry.cookie;
    }
    args.cookieverf = res.resok4.cookieverf;
    if (res.resok4.reply.eof) co_return all;
    if (res.resok4.reply.entries.size() == 0)
      co_return Failure{NFS4_OK, OP_READDIR, error(Errc::protocol, "READDIR: neither an entry nor the end")};
  }
}

}  // namespace pnfs::client
