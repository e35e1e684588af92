/**
 * What a list is drawn from, worked out on every beat and told of only when it differs.
 *
 * The beat comes once a second; "12 min" changes once a minute. Who draws from these draws then.
 */
import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'

function isSameRow(one: object, other: object): boolean {
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every((key) => Object.is(one[key as keyof typeof one], other[key as keyof typeof other]))
}

/** Rows as they shall be told of: a row that says what it said before is the same object, and so is a list of only such rows. */
export function settled<T extends object>(before: readonly T[] | undefined, now: T[]): readonly T[] {
  let same = before?.length === now.length
  for (let i = 0; i < now.length; i++) {
    const kept = before?.[i]
    if (kept && isSameRow(kept, now[i])) now[i] = kept
    else same = false
  }
  return same ? before! : now
}

/** Rows of plain values, or of objects that are exchanged when they change: compared one field by one. */
export function steadyRows<T extends object>(make: () => T[]): ComputedRef<readonly T[]> {
  return computed<readonly T[]>((before) => settled(before, make()))
}

/** Words without places to fill: lists ask for the same few with every row and beat, so each is looked up once in a language. */
export function useFixedWords(): (key: string) => string {
  const { t, locale, messages } = useI18n()
  const known = computed(() => {
    void locale.value
    void messages.value
    return new Map<string, string>()
  })
  return (key) => {
    const words = known.value
    const word = words.get(key) ?? t(key)
    words.set(key, word)
    return word
  }
}
