/** Names behind ids: a line about something that has gone shall still say what it was. */
import type { Entry, LinkState, NodeName, TrackMeta } from '../api/types'

/** Names kept; the oldest is forgotten first. */
export const NAMES_LIMIT = 20_000

export class Names {
  private readonly entities = new Map<string, string>()
  private readonly callsigns = new Map<string, string>()

  constructor(private readonly limit = NAMES_LIMIT) {}

  private keep(names: Map<string, string>, id: string | undefined, name: string | null | undefined): void {
    if (!id || !name || names.get(id) === name) return
    names.delete(id)
    names.set(id, name)
  }

  /** Once for many: finding the oldest of a map passes by all that were deleted before it, each time anew. */
  private forget(names: Map<string, string>): void {
    let over = names.size - this.limit
    for (const id of names.keys()) {
      if (over-- <= 0) return
      names.delete(id)
    }
  }

  fromMetas(metas: TrackMeta[]): void {
    for (const meta of metas) this.keep(this.entities, meta.id, meta.name)
    this.forget(this.entities)
  }

  fromEntries(entries: Entry[]): void {
    for (const { body } of entries) {
      if (!body) continue
      this.keep(this.entities, body.entity, body.name)
      this.keep(this.callsigns, body.author_alias?.value, body.author_name)
      if (body.own) this.keep(this.callsigns, body.alias?.value, body.name)
    }
    this.forget(this.entities)
    this.forget(this.callsigns)
  }

  fromLinks(links: LinkState[]): void {
    for (const link of links) this.keep(this.callsigns, link.uid ?? undefined, link.callsign)
    this.forget(this.callsigns)
  }

  ofEntity(id: string | undefined): string | null {
    return (id && this.entities.get(id)) || null
  }

  /** The callsign of a TAK device by its uid. */
  ofUid(uid: string | undefined): string | null {
    return (uid && this.callsigns.get(uid)) || null
  }
}

/** `device:PATROL1` is PATROL1, `listener:tcp` is TCP, this node is called by its name. */
export function principalName(id: string, node: NodeName | null): string {
  const [kind, ...rest] = id.split(':')
  const name = rest.join(':')
  if (!name || !/^[a-z]+$/.test(kind)) return id
  if (kind === 'listener') return name.toUpperCase()
  return kind === 'node' && name === node?.id ? node.name : name
}
