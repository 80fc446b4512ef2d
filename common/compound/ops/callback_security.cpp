#include "common/compound/ops/callback_security.hpp"

namespace pnfs::compound {

CallbackSecurityList read_callback_security(const nfs::Array<nfs::callback_sec_parms4>& offered) {
  // One of each flavour is all that is ever used; a client may name thousands.
  constexpr size_t kKeep = 4;
  CallbackSecurityList list;
  for (const nfs::callback_sec_parms4& one : offered) {
    if (one.cb_secflavor == nfs::kFlavorGss) {
      list.has_gss = true;
      continue;
    }
    if (list.usable.size() >= kKeep) continue;
    session::CallbackSecurity security{.flavor = one.cb_secflavor};
    if (one.cb_secflavor == nfs::kFlavorSys) {
      const nfs::authsys_parms& sys = one.cbsp_sys_cred;
      security.stamp = sys.stamp;
      security.machine = std::string(sys.machinename.text);
      security.uid = sys.uid;
      security.gid = sys.gid;
      security.gids.assign(sys.gids.begin(), sys.gids.end());
    }
    list.usable.push_back(std::move(security));
  }
  list.only_gss = list.has_gss && list.usable.empty();
  return list;
}

}  // namespace pnfs::compound
