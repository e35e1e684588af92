/** What the page knows of links beyond what the node sends. */
import type { LinkState } from '../api/types'

/** Is somebody at the other end, neither lost nor refused at the door? */
export const isThere = (link: Pick<LinkState, 'state'>) => link.state !== 'down' && link.state !== 'refused'
