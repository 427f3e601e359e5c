// rpc.discover: its answer is a valid OpenRPC document, and what the daemon does is what the document says.
"use strict";

const assert = require("node:assert/strict");
const { test, before, after } = require("node:test");
const Ajv = require("ajv").default;
const jsonMetaSchema = require("@json-schema-tools/meta-schema").default;
const openrpcMetaSchema = require("@open-rpc/meta-schema").default;

const { open } = require("./connection.js");
const { wholeSession } = require("./session.js");
const { Wire, lines } = require("./wire.js");

let wire;
let document;

before(async () => {
    wire = new Wire(await open(), lines);
    document = await wire.call("rpc.discover");
});

after(async () => {
    assert.deepEqual(await wire.finish(), []);
});

// The meta-schema names a dialect of its own, which is draft 7 under another address.
function documentValidator() {
    const ajv = new Ajv({ strict: false, validateSchema: false, validateFormats: false });
    ajv.addSchema(jsonMetaSchema, "https://meta.json-schema.tools");
    return ajv.compile(openrpcMetaSchema);
}

// The schemas are checked, too: strict mode refuses words that say nothing, lists of types, and types that contradict each
// other.
function schemaCompiler() {
    const ajv = new Ajv({ strict: true, strictRequired: false });
    return (schema) => ajv.compile(schema);
}

test("the document is valid by OpenRPC's meta-schema", () => {
    const isValid = documentValidator();

    assert.ok(isValid(document), JSON.stringify(isValid.errors, null, 2));
    // It would be found if it were not.
    for (const spoil of [(method) => delete method.params, (method) => (method.result.schema.type = "text")]) {
        const spoilt = structuredClone(document);
        spoil(spoilt.methods.at(-1));
        assert.ok(!isValid(spoilt));
    }
});

test("every method is described wholly and once", () => {
    const compile = schemaCompiler();
    const names = document.methods.map((method) => method.name);

    assert.equal(new Set(names).size, names.length);
    for (const method of document.methods) {
        assert.equal(method.paramStructure, "either");
        assert.ok(method.summary.endsWith("."), method.name);
        for (const param of method.params) {
            compile(param.schema);
            assert.ok(param.description, `${method.name}: ${param.name}`);
            if ("default" in param.schema) assert.ok(compile(param.schema)(param.schema.default), param.name);
        }
        compile(method.result.schema);
        assert.ok(method.errors.every((error) => error.data.name && error.message), method.name);
        // By position, what may be left out stands behind what may not.
        const required = method.params.map((param) => param.required);
        assert.deepEqual(required, [...required].sort((a, b) => b - a), method.name);
    }
});

// Every schema within this one, and itself.
function* schemasIn(schema) {
    yield schema;
    for (const inner of schema.oneOf ?? []) yield* schemasIn(inner);
    for (const inner of Object.values(schema.properties ?? {})) yield* schemasIn(inner);
    if (schema.items) yield* schemasIn(schema.items);
}

function* allSchemas() {
    for (const method of document.methods) {
        for (const param of method.params) yield* schemasIn(param.schema);
        yield* schemasIn(method.result.schema);
    }
    for (const notification of document["x-notifications"]) yield* schemasIn(notification.params);
}

test("every schema has a title, and what has the same title is the same", () => {
    const titled = new Map();

    for (const schema of allSchemas()) {
        assert.match(schema.title ?? "", /^[A-Z][A-Za-z0-9]+$/);
        assert.deepEqual(titled.get(schema.title) ?? schema, schema);
        titled.set(schema.title, schema);
        assert.ok(!Array.isArray(schema.type), schema.title);
        for (const name of Object.keys(schema.properties ?? {})) assert.match(name, /^[a-z_0-9]+$/, schema.title);
    }
    // Schemas in a schema have been looked into.
    assert.deepEqual(titled.get("BlockListResultBlocksItemOwner").oneOf.map((one) => one.type), ["object", "null"]);
    assert.equal(titled.get("BlockAllocFlagsValue").uniqueItems, true);
});

// Where TypeScript expects an error, it complains if there is none.
const PROGRAM = `
    declare const alloc: BlockAlloc, read: BlockRead, list: BlockList;
    export async function use(name: string) {
        const { block } = await alloc(8, "process", ["zero_memory"], name, "session");
        const { data, size } = await read(block, 0, null, "hex");
        const text: string | undefined = data;
        const { blocks, next } = await list(null, null, true);
        for (const each of blocks) use(each.name ?? String(next === null || each.owner?.pid === size || text));
        // @ts-expect-error
        await alloc("8");
        // @ts-expect-error
        await alloc(8, "process", [], name, "sesion");
        // @ts-expect-error
        for (const each of blocks) use(String(each.owner.pid));
        // @ts-expect-error
        await read(null);
    }`;

test("the types that @open-rpc/typings makes of it compile, and tell right from wrong", (t) => {
    if (process.env.UMEM_CARRIER) return t.skip("it is the same document");
    const { default: MethodTypings } = require("@open-rpc/typings");
    const typings = new MethodTypings(document);
    const types = typings.toString("typescript", { includeSchemaTypings: true, includeMethodAliasTypings: true });

    assert.deepEqual(complaints(types + PROGRAM), []);
});

// What TypeScript finds wrong in a file of this text.
function complaints(text) {
    const ts = require("typescript");
    const options = { strict: true, noEmit: true, types: [], target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts"] };
    const host = ts.createCompilerHost(options);
    const { getSourceFile } = host;
    host.getSourceFile = (name, ...rest) =>
        name === "types.ts" ? ts.createSourceFile(name, text, options.target) : getSourceFile.call(host, name, ...rest);
    const program = ts.createProgram(["types.ts"], options, host);
    return ts.getPreEmitDiagnostics(program).map((found) => ts.flattenDiagnosticMessageText(found.messageText, " "));
}

test("a whole session keeps to the document", async () => {
    const compile = schemaCompiler();
    const methods = new Map(document.methods.map((method) => [method.name, method]));
    let checked = 0;

    function checkParams(method, params) {
        const given = Array.isArray(params)
            ? method.params.slice(0, params.length).map((param, i) => [param, params[i]])
            : method.params.filter((param) => param.name in params).map((param) => [param, params[param.name]]);
        for (const [param, value] of given) {
            const isValid = compile(param.schema);
            assert.ok(isValid(value), `${method.name}: ${param.name}: ${JSON.stringify(isValid.errors)}`);
        }
    }

    function checkResult(method, result) {
        const isValid = compile(method.result.schema);
        assert.ok(isValid(result), `${method.name}: ${JSON.stringify(isValid.errors)}`);
        // Extensions of OpenRPC's document are none of its members.
        const declared = [...Object.keys(method.result.schema.properties), "x-notifications"];
        assert.deepEqual(Object.keys(result).filter((key) => !declared.includes(key)), [], method.name);
        checked++;
    }

    await wholeSession(async (name, params) => {
        const method = methods.get(name);
        try {
            const result = await wire.call(name, params);
            checkParams(method, params);
            checkResult(method, result);
            return result;
        } catch (error) {
            if (method && error.code) assert.ok(method.errors.some((e) => e.code === error.code), `${name}: ${error}`);
            throw error;
        }
    });
    for (const name of ["rpc.discover", "server.info", "server.ping", "heap.list", "block.list"]) {
        checkResult(methods.get(name), await wire.call(name));
    }
    assert.ok(checked > 20);
});
