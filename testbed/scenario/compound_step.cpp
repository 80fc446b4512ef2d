// compound OP [FIELD=VALUE ...], OP ...: any operations with any arguments, by the RFC's names. Values may be those of
// fault rules, and @fh:/path (the filehandle of a file), @open:/path, @layout:/path and @delegation:/path (its
// stateids), @clientid and
// @sessionid.
#include "common/nfs/op_info.hpp"
#include "common/xdr/field_text.hpp"
#include "testbed/scenario/step_client.hpp"

namespace pnfs::scenario {

namespace {

using namespace nfs;

std::string as_hex(std::span<const std::byte> bytes) {
  return "hex:" + xdr::hex(bytes, bytes.size());
}

std::string trimmed_path(std::string_view value, std::string_view kind) {
  std::string path(value.substr(kind.size()));
  path.erase(0, path.find_first_not_of('/'));
  return path;
}

Result<void> set_stateid(xdr::FieldView message, const std::string& path, const stateid4& stateid, Arena& arena) {
  const auto seqid = message.at(path + ".seqid"), other = message.at(path + ".other");
  if (!seqid) return seqid.error();
  if (!other) return other.error();
  if (auto done = seqid->set_integer(stateid.seqid); !done) return done;
  return other->set(as_hex(stateid.other.bytes), arena);
}

}  // namespace

Result<void> StepClient::set_field(xdr::FieldView message, std::string_view assignment, Arena& arena) {
  const size_t equals = assignment.find('=');
  const std::string path(assignment.substr(0, equals));
  std::string value(assignment.substr(equals + 1));
  if (path.ends_with(".count")) {
    const auto field = message.at(path.substr(0, path.size() - 6));
    const auto count = xdr::parse_number(value);
    if (!field) return field.error();
    if (!count) return error(Errc::invalid, "'{}' is no count", value);
    return field->resize(*count, arena);
  }
  for (const std::string_view kind : {"@open:", "@layout:", "@delegation:"}) {
    if (!value.starts_with(kind)) continue;
    const auto file = files_.find(trimmed_path(value, kind));
    if (file == files_.end()) return error(Errc::invalid, "{} is not open", value);
    if (kind == "@open:") return set_stateid(message, path, file->second->stateid, arena);
    if (kind == "@delegation:") return set_stateid(message, path, file->second->delegation_stateid, arena);
    if (!file->second->layout) return error(Errc::invalid, "{} has no layout", value);
    return set_stateid(message, path, file->second->layout->stateid, arena);
  }
  if (value.starts_with("@fh:")) value = as_hex(handles_[trimmed_path(value, "@fh:")]);
  if (value == "@clientid") value = fmt::format("{}", fs_.session().clientid());
  if (value == "@sessionid") value = as_hex(fs_.session().sessionid().bytes);
  const auto field = message.at(path);
  if (!field) return field.error();
  return field->set(value, arena);
}

io::Task<StepClient::Answer> StepClient::take_compound(Words words) {
  // The handles that it names are looked up first.
  for (const std::string& word : words) {
    const size_t at = word.find("=@fh:");
    if (at == std::string::npos) continue;
    std::string path = trimmed_path(std::string_view(word).substr(at + 1), "@fh:");
    if (path.ends_with(',')) path.pop_back();
    const auto found = co_await fs_.lookup(path);
    if (!found)
      co_return Answer{NFS4_OK, "", fmt::format("looking up /{}: {}", path, client::to_string(found.error()))};
    handles_[path] = *found;
  }
  Arena arena;
  auto compound = client::Compound::in_session();
  std::vector<const OpInfo*> ops;
  for (size_t i = 1; i < words.size();) {
    bool last = words[i].ends_with(',');
    const OpInfo* op = find_op(std::string_view(words[i]).substr(0, words[i].size() - (last ? 1 : 0)));
    ops.push_back(op);
    void* args = arena.allocate(op->args->bytes);
    std::memset(args, 0, op->args->bytes);
    for (++i; i < words.size() && !last; ++i) {
      last = words[i].ends_with(',');
      const auto word = std::string_view(words[i]).substr(0, words[i].size() - (last ? 1 : 0));
      if (auto set = set_field(xdr::FieldView(*op->args, args), word, arena); !set)
        co_return Answer{NFS4_OK, "", fmt::format("{} {}: {}", op->name, word, set.error().reason)};
    }
    xdr::Encoder out(arena);
    op->args->encode(out, args);
    compound->raw(op->number, arena.copy(std::span<const std::byte>(out.flatten())));
  }
  auto reply = co_await fs_.session().run(compound);
  Answer answer;
  if (!reply) {
    answer.status = reply.error().status;
    if (answer.status == NFS4_OK) answer.wrong = client::to_string(reply.error());
    co_return answer;
  }
  for (const OpInfo* op : ops) {
    const xdr::FieldView result = (*reply)->view(static_cast<nfs_opnum4>(op->number));
    if (!result) break;
    answer.shown += fmt::format("{}{} {}", answer.shown.empty() ? "" : "; ", op->name, result.to_line());
  }
  if (const auto& failure = (*reply)->failure(); failure && failure->status == NFS4_OK)
    answer.wrong = client::to_string(*failure);
  answer.status = (*reply)->status();
  co_return answer;
}

}  // namespace pnfs::scenario
