/** What the banner says, on the screen and on paper. */
import type { Banner } from '../api/types'

export type Level = 'unclassified' | 'restricted' | 'confidential' | 'secret' | 'unknown'

export function levelOf(banner: Banner | null): Level {
  const word = (banner?.classification ?? '').toUpperCase()
  if (word.includes('UNCLASSIFIED')) return 'unclassified'
  if (word.includes('SECRET')) return 'secret'
  if (word.includes('CONFIDENTIAL')) return 'confidential'
  return word.includes('RESTRICTED') ? 'restricted' : 'unknown'
}

/** Whether this is real; nobody has said so while there is no banner, and then it counts as real. */
export function contextOf(banner: Banner | null, context: string): 'real' | 'simulation' | 'exercise' {
  if (!banner?.exercise) return 'real'
  return context.startsWith('SIMULATION') ? 'simulation' : 'exercise'
}

/** The banner's ground on white paper. */
export const PAPER_COLOUR: Record<Level, string> = {
  unclassified: '#006b3c',
  restricted: '#0b4ea2',
  confidential: '#0033a0',
  secret: '#b0122a',
  unknown: '#3d4750',
}
