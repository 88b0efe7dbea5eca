// Rows that are seen by a membership, or without some of their columns, as Electric's client has them.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Shape, ShapeStream } from '@electric-sql/client'
import { eventually, start } from './server.js'

const content = (schema) => ({ 'application/json': { schema } })
/** The operations of a collection, as a document has them. */
function collection(path, schema) {
  const answer = { 200: { description: '', content: content(schema) } }
  const sent = { content: content(schema) }
  return {
    [path]: {
      get: { responses: { 200: { description: '', content: content({ type: 'array', items: schema }) } } },
      post: { requestBody: sent, responses: answer },
    },
    [`${path}/{id}`]: {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      patch: { requestBody: sent, responses: answer },
      delete: { responses: { 204: { description: '' } } },
    },
  }
}
const text = { type: 'string' }
const Member = { type: 'object', properties: { id: text, user_id: text, project_id: text, role: text } }
const Project = {
  type: 'object',
  properties: { id: text, title: text, secret: text },
  'x-rbac': {
    field_groups: { open: ['title'], private: ['secret'] },
    role_permissions: { viewer: [], editor: ['open'], owner: ['open', 'private'] },
    read_permissions: { viewer: ['open'], editor: ['open'], owner: ['open', 'private'] },
    role_via: { entity: 'members', entity_field: 'project_id', user_field: 'user_id', role_field: 'role' },
  },
}
const refer = (name) => ({ $ref: `#/components/schemas/${name}` })
const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'projects', version: '1' },
  paths: { ...collection('/api/members', refer('Member')), ...collection('/api/projects', refer('Project')) },
  components: { schemas: { Member, Project } },
}

let server
let directory
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'syncline-projects-'))
  const document = join(directory, 'projects.json')
  writeFileSync(document, JSON.stringify(DOCUMENT))
  server = await start(['--schema', document])
})
after(async () => {
  await server.end()
  rmSync(directory, { recursive: true, force: true })
})

const enter = (role) => server.call('POST', '/api/members', { id: 'm', user_id: 'ada', project_id: 'p', role })
const leave = () => server.call('DELETE', '/api/members/m')

test('rows come and go with the reader\'s membership, and columns with their role, whatever columns are named', async () => {
  await enter('owner')
  await server.call('POST', '/api/projects', { id: 'p', title: 'plan', secret: 'canary' })
  await leave()
  const errors = []
  const onError = (error) => void errors.push(error)
  const params = { table: 'projects', columns: ['id', 'title', 'secret', '_role'] }
  const ending = new AbortController()
  const stream = new ShapeStream({ url: server.shape, headers: server.headers, params, onError, signal: ending.signal })
  const shape = new Shape(stream)
  assert.deepEqual(await shape.rows, [])
  const shows = (what, rows) =>
    eventually(what, () => {
      assert.deepEqual(errors, [])
      return JSON.stringify(shape.currentRows) === JSON.stringify(rows)
    })
  for (const round of ['once', 'again']) {
    await enter('owner')
    await shows(`an owner's row ${round}`, [{ id: 'p', title: 'plan', secret: 'canary', _role: 'owner' }])
    await server.call('PATCH', '/api/members/m', { role: 'editor' })
    await shows(`an editor's row ${round}`, [{ id: 'p', title: 'plan', _role: 'editor' }])
    await leave()
    await shows(`nothing ${round}`, [])
  }
  ending.abort()
})
