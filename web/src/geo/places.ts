/** Towns of the shipped base map, found by the beginning of a word in their name; fetched at the first question. */
import { fold } from './fold'
import type { Place } from './place'

export interface Town extends Place {
  name: string
  /** ISO 3166 alpha-2. */
  country: string
}

interface Columns {
  name: string[]
  cc: string[]
  lat_deg: number[]
  lon_deg: number[]
}

/** Towns in the order of their size, the greatest first. */
export class Gazetteer {
  private readonly folded: string[]

  constructor(private readonly columns: Columns) {
    this.folded = columns.name.map((name) => ` ${fold(name)}`)
  }

  find(text: string, limit: number): Town[] {
    const wanted = ` ${fold(text.trim())}`
    const found: Town[] = []
    if (wanted.length < 3) return found
    const { name, cc, lat_deg, lon_deg } = this.columns
    for (let i = 0; i < name.length && found.length < limit; i++) {
      if (this.folded[i].includes(wanted)) {
        found.push({ name: name[i], country: cc[i], lat_deg: lat_deg[i], lon_deg: lon_deg[i] })
      }
    }
    return found
  }
}

let loading: Promise<Gazetteer | null> | null = null

/** The shipped towns; null while the node does not give them (the next question asks again). */
export function gazetteer(): Promise<Gazetteer | null> {
  loading ??= fetch('/maps/places.json')
    .then(async (answer) => (answer.ok ? new Gazetteer((await answer.json()) as Columns) : null))
    .catch(() => null)
    .then((found) => {
      if (!found) loading = null
      return found
    })
  return loading
}
