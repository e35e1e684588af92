/** The last lines of the journal and the chat rooms read from them. */
import type { Entry } from '../api/types'
import { Seen } from '../stream/dedupe'

/** Lines kept in the page; the journal itself lives in the node. */
export const TAIL_LIMIT = 500
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
    default:
      return 'other'
  }
}

export function authorOf(entry: Entry): string {
  return entry.author_name || entry.body?.author_name || entry.author || '?'
}

export function textOf(entry: Entry): string {
  const text = entry.kind === 'note' ? entry.body?.text : null
  return String(text || entry.summary || entry.body?.text || '')
}

/** Oldest first by arrival; seq breaks ties within one node. */
function before(a: Entry, b: Entry): number {
  return a.received_at_ms - b.received_at_ms || a.seq - b.seq
}

export class JournalTail {
  private lines: Entry[] = []
  private readonly seen = new Seen()

  /** Adds what is new; answers whether anything was. */
  add(entries: Entry[]): boolean {
    const fresh = entries.filter((entry) => this.seen.first(entry.id))
    if (!fresh.length) return false
    this.lines = [...this.lines, ...fresh].sort(before).slice(-TAIL_LIMIT)
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
