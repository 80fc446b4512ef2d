// READDIR (RFC 8881 18.23). Errors: NOTDIR, ACCESS, BAD_COOKIE (1 and 2 are never given out), NOT_SAME (the cookie is
// of another verifier), TOOSMALL (not one entry fits), INVAL, those of the filehandle.
//
// Cookies count upwards per directory and are never used again, so a listing goes on correctly whatever is added or
// removed meanwhile, and across restarts; the verifier is constant for the volume.
#include "mds/namespace/attributes.hpp"
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {

constexpr size_t kBatch = 64;
constexpr size_t kFixedBytes = 8 + 4 + 4;  // verifier, end of list, eof
constexpr size_t kMaxEntries = 4096;

size_t padded(size_t bytes) {
  return (bytes + 3) / 4 * 4;
}

size_t encoded_size(const entry4& entry) {
  return 4 + 8 + 4 + padded(entry.name.size()) + 4 + 4 * entry.attrs.attrmask.words().size() + 4 +
         padded(entry.attrs.attr_vals.size());
}

verifier4 verifier_of(uint64_t volume_id) {
  verifier4 verifier;
  for (size_t i = 0; i < 8; ++i) verifier.bytes[i] = static_cast<std::byte>(volume_id >> (56 - 8 * i));
  return verifier;
}

Status check_cookie(const READDIR4args& args, const verifier4& verifier) {
  if (args.cookie == 0) return {};
  if (args.cookie < volume::kFirstCookie) {
    return fail(NFS4ERR_BAD_COOKIE, "18.23.3", "cookie {} is never given out", args.cookie);
  }
  if (args.cookieverf != verifier) {
    return fail(NFS4ERR_NOT_SAME, "18.23.3", "the cookie verifier is not this volume's");
  }
  return {};
}

// What `context` may still put into the reply, and what the client wants at most.
struct Listing {
  std::vector<entry4> entries;
  size_t room = 0;
  bool full = false;
};

Status add_entry(MdsContext& context, const READDIR4args& args, const volume::Catalog::Listed& listed,
                 const AttributeWriter& writer, Listing& listing) {
  entry4 entry;
  entry.cookie = listed.entry.cookie;
  entry.name.text = context.arena().copy(std::string_view(listed.entry.name));
  const FileHandle handle = context.mds.handle_of(listed.inode.fileid, listed.inode.generation);
  Status status = writer.write(listed.inode, handle, args.attr_request, context.arena(), entry.attrs);
  if (!status) {
    if (!args.attr_request.has(FATTR4_RDATTR_ERROR)) return status;
    AttributeWriter::write_error(status.status, context.arena(), entry.attrs);
  }
  const size_t bytes = encoded_size(entry);
  if (bytes > listing.room || listing.entries.size() == kMaxEntries) {
    listing.full = true;
    return {};
  }
  listing.room -= bytes;
  listing.entries.push_back(entry);
  return {};
}

}  // namespace

Status op_readdir(MdsContext& context, const READDIR4args& args, READDIR4res& res) {
  Inode dir;
  if (Status status = context.current_dir(dir); !status) return status;
  if (!context.caller.may(dir, kMayRead)) {
    return fail(NFS4ERR_ACCESS, "18.23.3", "uid {} may not list directory {}", context.caller.uid, dir.fileid);
  }
  const verifier4 verifier = verifier_of(context.mds.volume_id());
  if (Status status = check_cookie(args, verifier); !status) return status;
  Listing listing;
  const size_t limit = std::min<size_t>(args.maxcount, context.reply_room());
  if (limit < kFixedBytes) return fail(NFS4ERR_TOOSMALL, "18.23.3", "maxcount {} holds no entry", args.maxcount);
  listing.room = limit - kFixedBytes;

  const AttributeWriter writer(context.mds.facts(), context.mds.names().extents());
  uint64_t after = args.cookie;
  bool eof = false;
  while (!listing.full && !eof) {
    auto batch = context.mds.catalog().list_with_inodes(dir.fileid, after, kBatch);
    if (!batch) return volume_status(batch.error());
    for (const auto& listed : *batch) {
      if (Status status = add_entry(context, args, listed, writer, listing); !status) return status;
      if (listing.full) break;
      after = listed.entry.cookie;
    }
    eof = !listing.full && batch->size() < kBatch;
  }
  if (listing.full && listing.entries.empty()) {
    return fail(NFS4ERR_TOOSMALL, "18.23.3", "the next entry does not fit into {} bytes", limit);
  }
  const auto items = context.arena().make_array<entry4>(listing.entries.size());
  std::copy(listing.entries.begin(), listing.entries.end(), items.begin());
  res.resok4.cookieverf = verifier;
  res.resok4.reply.entries.items = items;
  res.resok4.reply.eof = eof;
  context.trace.count = items.size();
  return {};
}

}  // namespace pnfs::mds
