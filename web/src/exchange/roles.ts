/** What somebody's role allows. The node decides; the page only shows no button that it would refuse. */
import type { Me } from '../api/types'

export type Role = 'viewer' | 'operator' | 'admin'
const ROLES: Role[] = ['viewer', 'operator', 'admin']

export function mayDo(me: Me | null, role: Role): boolean {
  return ROLES.slice(ROLES.indexOf(role)).some((one) => me?.principal.roles.includes(one))
}
