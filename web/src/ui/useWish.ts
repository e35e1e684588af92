/** Does what the shell wishes of one part of the page: `tasks:ID` is the wish ID of the part `tasks`. */
import { nextTick, watch, type Ref } from 'vue'
import { useShell } from '../shell/shell'

export function useWish(part: string, fulfil: (what: string) => unknown): void {
  const { wish } = useShell()
  watch(
    wish,
    (asked) => {
      if (!asked?.what.startsWith(`${part}:`)) return
      wish.value = null
      void fulfil(asked.what.slice(part.length + 1))
    },
    // A part that is only now put on the page finds the wish waiting.
    { immediate: true, flush: 'post' },
  )
}

/** A list that a card stands in. `again`: reads it anew, and ends when that is done; without it the list comes by itself. */
export interface CardList {
  readonly value: Readonly<Ref<unknown>>
  readonly error: Readonly<Ref<unknown>>
  readonly again?: () => Promise<unknown>
}
/** A card that is wished for. isRead: a list that was asked for after the wish has come, or was refused. */
interface Wanted {
  readonly id: string
  isRead: boolean
}
interface CardWays {
  /** How the id of its element begins. */
  readonly element?: string
  /** What in the card takes the cursor; else the card does. */
  readonly cursor?: string
  /** Is told each time that the list has come, before the card is looked for. */
  readonly arrived?: (id: string) => void
}

/**
 * Gives what brings a card into sight and puts the cursor there. A wish may come before its list does, or while the node
 * does not answer: it is kept until the card is there, until a list that was asked for after it lacks the card, or until
 * another card is wished for.
 */
export function useCard({ value, error, again }: CardList, { element = 'thing-', cursor, arrived }: CardWays = {}): (id: string) => Promise<void> {
  let wanted: Wanted | null = null

  async function place(): Promise<void> {
    const looked = wanted
    if (!looked) return
    arrived?.(looked.id)
    await nextTick()
    if (looked !== wanted) return
    const card = document.getElementById(`${element}${looked.id}`)
    if (card || (looked.isRead && !error.value)) wanted = null
    card?.scrollIntoView({ block: 'center' })
    const place = cursor ? card?.querySelector<HTMLElement>(cursor) : card
    place?.focus()
  }
  watch(value, place, { flush: 'post' })

  return async (id) => {
    const asked: Wanted = { id, isRead: false }
    wanted = asked
    if (!again) return place()
    await again()
    asked.isRead = true
    await place()
  }
}
