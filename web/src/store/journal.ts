/** The last lines of the journal and the chat rooms read from them. */
import type { Entry, EntryBody, LinkState, NodeName } from '../api/types'
import { mgrs } from '../geo/format'
import { Seen } from '../stream/dedupe'
import { callsign } from './attention'
import { principalName, type Names } from './names'

/** Lines kept in the page; the journal itself lives in the node. */
export const TAIL_LIMIT = 500
const SAME_LINK_MS = 2000
/** TAK clients call the room for everyone by this name. */
export const EVERYONE = 'All Chat Rooms'

export type JournalKind = 'log' | 'chat' | 'report' | 'removal' | 'receipt' | 'act' | 'foreign' | 'other'

export function kindOf(entry: Entry): JournalKind {
  switch (entry.kind) {
    case 'note':
      return entry.body?.room === 'log' ? 'log' : 'chat'
    case 'report':
    case 'removal':
    case 'receipt':
    case 'act':
    case 'foreign':
      return entry.kind
    case 'paper':
      return entry.body?.type === 'incidents.line' ? 'log' : 'other'
    default:
      return 'other'
  }
}

/** Who said it: the callsign where one is known, else whom or what the node heard it from. */
export function authorOf(entry: Entry, names?: Names, node: NodeName | null = null): string {
  const body = entry.body
  // A rule that speaks for the node signs with the id.
  if (body?.author_name && entry.author !== `node:${body.author_name}`) return body.author_name
  const reporter = body?.own ? body.name : names?.ofUid(body?.parent?.value)
  if (reporter) return reporter
  // Of these two the node sends the bare id; people and devices it names.
  const bare = /^(node|listener):/.test(entry.author)
  return (!bare && entry.author_name) || principalName(entry.author, node) || '?'
}

export function textOf(entry: Entry): string {
  const text = entry.kind === 'note' ? entry.body?.text : null
  return String(text || entry.summary || entry.body?.text || '')
}

/** How a drawing became what a report says, as the node found it; a newer node's word counts as none. */
const CHANGES = ['moved', 'reshaped', 'restyled', 'renamed', 'changed', 'restored'] as const

/** Does somebody say again what is known? It stands in the journal, and nobody has to read it. */
export const isRepeat = (entry: Entry) => entry.kind === 'report' && entry.body?.fields?.change === 'same'

/** A catalogue key with its values, or plain text. who: the node's phrase for whom it is about, where he has no name. */
export type Line = { key: string; values: Record<string, string>; kind?: string; who?: object } | { text: string }

/** A name among words of the page: marks in it that turn the direction of writing end with it, and turn no grid after it. */
function apart(name: string): string {
  return /[\u202a-\u202e\u2066-\u2069]/.test(name) ? `\u2068${name.replace(/[\u2066-\u2069]/g, '')}\u2069` : name
}

/** A line about a report, removal or link in the reader's language; other entries say it themselves. */
export function lineOf(entry: Entry, names: Names, links: LinkState[]): Line {
  const { body } = entry
  if (entry.kind === 'report' && body) {
    const name = body.name || names.ofEntity(body.entity) || ''
    if (body.emergency) {
      const key = body.emergency.active ? 'line.emergency' : 'line.emergencyOver'
      return { key, values: { name: apart(callsign(name)) }, kind: body.emergency.type }
    }
    if (name) {
      const grid = body.position ? mgrs(body.position.lat_deg, body.position.lon_deg, 4) : ''
      const change = CHANGES.find((one) => one === body.fields?.change)
      const key = change ? `line.${change}` : grid ? 'line.report' : 'line.reportNowhere'
      return { key, values: { name: apart(name), who: apart(authorOf(entry, names)), grid, remarks: body.remarks ?? '' }, kind: body.category }
    }
  }
  if (entry.kind === 'removal' && body) {
    const name = names.ofEntity(body.entity)
    if (name) return { key: 'line.removed', values: { name: apart(callsign(name)) } }
  }
  if (body?.action === 'link.up' || body?.action === 'link.down') return linkLine(entry, body, links)
  return { text: textOf(entry) }
}

function linkLine(entry: Entry, body: EntryBody, links: LinkState[]): Line {
  // Links are numbered anew when the node starts: the same number and the same time is the same link.
  const same = links.find(
    (link) =>
      `${link.transport}:${link.id}` === body.detail?.link &&
      Math.abs(link.since_ms - entry.happened_at_ms) < SAME_LINK_MS,
  )
  const key = body.action === 'link.up' ? 'line.linkUp' : 'line.linkDown'
  const callsign = same?.callsign || body.detail?.callsign
  if (callsign) return { key, values: { name: apart(String(callsign)) } }
  const who = entry.words?.target
  const name = principalName(body.target ?? '', null)
  return { key, values: { name }, ...(who && typeof who === 'object' ? { who } : {}) }
}

/** Oldest first by arrival; seq breaks ties within one node. */
export function inOrder(a: Entry, b: Entry): number {
  return a.received_at_ms - b.received_at_ms || a.seq - b.seq
}

export class JournalTail {
  private lines: Entry[] = []
  private readonly seen = new Seen()

  /** Adds what is new; answers whether anything was. */
  add(entries: Entry[]): boolean {
    const fresh = entries.filter((entry) => !isRepeat(entry) && this.seen.first(entry.id))
    if (!fresh.length) return false
    this.lines = [...this.lines, ...fresh].sort(inOrder).slice(-TAIL_LIMIT)
    return true
  }

  all(): Entry[] {
    return this.lines
  }
}

/** The room's own id, which the node wants back; everyone's when it has none. */
export function roomOf(entry: Entry): string {
  return entry.body?.room || EVERYONE
}

/** The rooms that were written in, everyone's first, then by name. */
export function roomsOf(entries: Entry[]): string[] {
  const rooms = new Set<string>()
  for (const entry of entries) if (kindOf(entry) === 'chat') rooms.add(roomOf(entry))
  rooms.delete(EVERYONE)
  return [EVERYONE, ...[...rooms].sort((a, b) => a.localeCompare(b))]
}
