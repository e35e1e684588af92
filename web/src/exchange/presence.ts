/** Devices, with what the links and contacts say of each: a device is online when one of its links is up. */
import type { ContactRow, Device, LinkRow } from '../api.generated'
import { isThere } from '../store/links'

/** `hidden`: its links are of groups that the asker does not read, so nobody can say. */
export type Presence = 'online' | 'slow' | 'offline' | 'never' | 'hidden'

export interface DeviceLine {
  device: Device
  presence: Presence
  /** Online: since when. Offline: when it was last heard. Null when it never came. */
  at_ms: number | null
  /** What it says it runs, for instance `ATAK-CIV 5.4`; empty when it has not said. */
  software: string
}

/** Contacts that have a device's certificate, without which nobody fetches a file: the chosen ones first, then who is here. */
export function reachable(contacts: ContactRow[], devices: Device[], query: string, chosen: string[]): ContactRow[] {
  const wanted = query.trim().toLowerCase()
  const names = new Set(devices.map((device) => device.name))
  const order = (one: ContactRow) => (chosen.includes(one.uid) ? 0 : one.connected ? 1 : 2)
  return contacts
    .filter((one) => names.has(one.principal))
    .filter((one) => chosen.includes(one.uid) || `${one.callsign} ${one.uid}`.toLowerCase().includes(wanted))
    .sort((a, b) => order(a) - order(b) || a.callsign.localeCompare(b.callsign))
}

const DAY_MS = 86_400_000
export const NEAR_END_DAYS = 30

/** How a certificate stands: good, near its end, or over. */
export function certificateState(not_after_ms: number, now_ms: number): 'good' | 'near' | 'over' {
  if (not_after_ms <= now_ms) return 'over'
  return not_after_ms - now_ms < NEAR_END_DAYS * DAY_MS ? 'near' : 'good'
}

/** One line per device, by name. `reads`: groups of the asker. */
export function deviceLines(devices: Device[], links: LinkRow[], contacts: ContactRow[], reads: string[]): DeviceLine[] {
  const newest = new Map<string, ContactRow>()
  for (const contact of contacts) {
    const known = newest.get(contact.principal)
    if (!known || contact.last_ms > known.last_ms) newest.set(contact.principal, contact)
  }
  return devices
    .map((device) => {
      const open = links.filter((link) => link.principal === `device:${device.name}` && isThere(link))
      const contact = newest.get(device.name)
      const software = contact ? [contact.platform, contact.version].filter(Boolean).join(' ') : ''
      if (open.length) {
        const presence = open.some((link) => link.state !== 'slow') ? ('online' as const) : ('slow' as const)
        return { device, presence, at_ms: Math.min(...open.map((link) => link.since_ms)), software }
      }
      const isHidden = !device.groups_in.some((group) => reads.includes(group))
      const presence = contact ? ('offline' as const) : isHidden ? ('hidden' as const) : ('never' as const)
      return { device, presence, at_ms: contact?.last_ms ?? null, software }
    })
    .sort((a, b) => a.device.name.localeCompare(b.device.name))
}
