/** Words of TAK in the reader's language. */
import { useI18n } from 'vue-i18n'
import { emergencyKey } from '../store/attention'
import type { Part } from '../store/medevac'

/** How a position came to be, the beginning of CoT's `how` -> catalogue word below `how.`. */
const HOWS: [string, string][] = [
  ['m-g', 'gps'],
  ['m', 'machine'],
  ['h-e', 'estimated'],
  ['h', 'entered'],
]

export function useWords() {
  const { t } = useI18n()
  return {
    /** What a beacon says it is; a word that we do not know is shown as it came. */
    emergency: (what: string): string => {
      const key = emergencyKey(what)
      return key ? t(key) : what
    },
    how: (how: string | null | undefined): string | null => {
      if (!how) return null
      const found = HOWS.find(([start]) => how === start || how.startsWith(`${start}-`))
      return found ? t(`how.${found[1]}`) : how
    },
    /** Parts of a MEDEVAC line as one text. */
    parts: (parts: Part[]): string =>
      parts
        .map(({ word, count, text }) => [count, word ? t(`medevac.${word}`) : text].filter((one) => one !== undefined).join(' '))
        .join(', '),
  }
}
