// `@electric-sql/pglite-sync`: shapes into tables of a Postgres in the process.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import { electricSync } from '@electric-sql/pglite-sync'
import { eventually, start, telling } from './server.js'

let server
before(async () => {
  server = await start(['--shape-deletes', '--shape-long-poll', '2s'])
  await server.list('work', 'Work')
  await server.item('work', 'plan', 'plan')
})
after(() => server.end())

const ITEMS = `CREATE TABLE items (id TEXT, list_id TEXT, place BIGINT, text TEXT, done BIGINT,
  note TEXT, origin_list_id TEXT, PRIMARY KEY (id, origin_list_id))`
const LISTS = `CREATE TABLE lists (list_id TEXT PRIMARY KEY, title TEXT, place BIGINT,
  item_count BIGINT, done_count BIGINT)`

test('shapes of several tables arrive together', async () => {
  const database = await PGlite.create({ extensions: { electric: electricSync() } })
  await database.exec(`${ITEMS}; ${LISTS}`)
  const lists = { url: server.shape, headers: server.headers, params: { table: 'lists' } }
  const sync = await database.electric.syncShapesToTables({
    key: null,
    shapes: {
      items: { shape: server.items(), table: 'items', primaryKey: ['id', 'origin_list_id'] },
      lists: { shape: lists, table: 'lists', primaryKey: ['list_id'] },
    },
  })
  const rows = async (sql) => (await database.query(sql)).rows
  await eventually('the first rows', async () => (await rows('SELECT * FROM items')).length === 1)
  assert.deepEqual(await rows('SELECT title FROM lists'), [{ title: 'Work' }])
  await server.item('work', 'write', 'write')
  await server.change('work', 'plan', { done: true })
  await eventually('the changes', async () => {
    const [list] = await rows('SELECT item_count, done_count FROM lists')
    const items = await rows('SELECT id FROM items WHERE done = 1')
    return Number(list.item_count) === 2 && Number(list.done_count) === 1 && items.length === 1
  })
  sync.unsubscribe()
  await database.close()
})

test('a table whose shape has gone, or whose server was, is as the server has it', async () => {
  const database = await PGlite.create({ extensions: { electric: electricSync() } })
  await database.exec(ITEMS)
  const sync = await database.electric.syncShapeToTable({
    shape: server.items(),
    table: 'items',
    primaryKey: ['id', 'origin_list_id'],
    shapeKey: null,
  })
  const texts = async () => {
    const { rows } = await database.query('SELECT text FROM items ORDER BY text')
    return rows.map((row) => row.text).join(', ')
  }
  await eventually('the first rows', async () => (await texts()).includes('plan'))
  await server.forget('items')
  await server.item('work', 'rest', 'rest')
  await eventually('all rows', async () => (await texts()) === 'plan, rest, write')
  await server.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.again()
  await server.item('work', 'sum up', 'sum up')
  await eventually('what was missed', async () => (await texts()) === 'plan, rest, sum up, write')
  sync.unsubscribe()
  await database.close()
})

test('a part of a table is taken, and a write awaited by its number', async () => {
  await server.item('work', 'hire', 'hire')
  const before = await server.txid()
  const database = await PGlite.create({ extensions: { electric: electricSync() } })
  await database.exec('CREATE TABLE items (id TEXT, origin_list_id TEXT, text TEXT, PRIMARY KEY (id, origin_list_id))')
  const sync = await database.electric.syncShapeToTable({
    shape: server.items({
      where: 'text LIKE $1',
      params: { 1: 'h%' },
      columns: ['id', 'origin_list_id', 'text'],
    }),
    table: 'items',
    primaryKey: ['id', 'origin_list_id'],
    shapeKey: null,
  })
  const tells = telling(sync.stream)
  const texts = async () => (await database.query('SELECT text FROM items ORDER BY text')).rows.map((row) => row.text)
  await eventually('what the snapshot holds', () => tells(before))
  await eventually('the first row', async () => (await texts()).join() === 'hire')
  await server.item('work', 'help', 'help')
  await server.item('work', 'other', 'no part of it')
  await server.change('work', 'hire', { text: 'fire' })
  const after = await server.txid()
  await eventually('what came after it', () => tells(after))
  await eventually('the rows of now', async () => (await texts()).join() === 'help')
  sync.unsubscribe()
  await database.close()
})

test('a database that has kept its place takes up what it has missed', async () => {
  const database = await PGlite.create({ extensions: { electric: electricSync() } })
  await database.exec(ITEMS)
  const follow = () =>
    database.electric.syncShapeToTable({
      shape: server.items({ where: "text LIKE 'k%'" }),
      table: 'items',
      primaryKey: ['id', 'origin_list_id'],
      shapeKey: 'kept',
    })
  const texts = async () => (await database.query('SELECT text FROM items ORDER BY text')).rows.map((row) => row.text)
  await server.item('work', 'keep', 'keep')
  const first = await follow()
  await eventually('the first row', async () => (await texts()).join() === 'keep')
  await eventually('its place', () => first.isUpToDate)
  first.unsubscribe()
  await server.item('work', 'knit', 'knit')
  await server.call('DELETE', '/api/lists/work/items/keep')
  const second = await follow()
  await eventually('what was missed', async () => (await texts()).join() === 'knit')
  second.unsubscribe()
  await database.close()
})
