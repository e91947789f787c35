// What the tests ask of JupyterLab's page. `talks` keeps, for each lesson that is open, the messages that its kernel
// has not dealt with yet, and whatever in them is an error: one raised in a widget's callback stands in no cell.
window.talks = {};
window.panelOf = path => [...(window.jupyterapp?.shell.widgets("main") ?? [])].find(one => one.context?.path === path);
window.idOf = path => panelOf(path).id;
window.frame = () => new Promise(requestAnimationFrame);
window.watchKernel = path => {
    const mine = talks[path] = {waiting: new Set(), faults: []};
    panelOf(path).sessionContext.session.kernel.anyMessage.connect((_, {msg, direction}) => {
        const {header, parent_header, content} = msg, kind = header.msg_type;
        if (direction === "send" && msg.channel === "shell") mine.waiting.add(header.msg_id);
        if (kind === "status" && content.execution_state === "idle") mine.waiting.delete(parent_header.msg_id);
        if (kind === "error") mine.faults.push(`${content.ename}: ${content.evalue}`);
        const state = kind.startsWith("comm_") ? JSON.stringify(content.data?.state ?? {}) : "";
        if (state.includes('"output_type":"error"')) mine.faults.push(state);
    });
};
window.quiet = async path => {  // nothing under way, and nothing more sent when that was dealt with
    for (let still = 0; still < 3; still = talks[path].waiting.size ? 0 : still + 1) await frame();
};
window.toFront = async path => {
    const panel = panelOf(path);
    if (jupyterapp.shell.currentWidget !== panel) jupyterapp.shell.activateById(panel.id);
    while (jupyterapp.shell.currentWidget !== panel) await frame();
};
window.begin = async (path, name) => {
    await toFront(path);
    talks[path].done = jupyterapp.commands.execute(name);
};
window.finish = async path => {
    await talks[path].done;
    await quiet(path);
};
window.showCell = async (path, place) => {
    const notebook = panelOf(path).content;
    await toFront(path);
    notebook.activeCellIndex = place;
    await notebook.scrollToItem(place, "start");
    await frame();
};
window.showAll = async path => {
    const wrong = [], notebook = panelOf(path).content;
    for (let place = 0; place < notebook.widgets.length; place++) {
        if (!notebook.widgets[place].model.outputs?.length) continue;
        await showCell(path, place);
        const shown = notebook.widgets[place].node.innerText;
        if (/Error (displaying|rendering|creating|loading)|Loading widget|Click to show widget/.test(shown))
            wrong.push(`cell ${place}: ${shown.slice(-200)}`);
    }
    return wrong;
};
window.cellsOf = path => panelOf(path).context.model.toJSON().cells.map(cell => ({
    code: cell.cell_type === "code", count: cell.execution_count, source: [cell.source].flat().join(""),
    errors: (cell.outputs ?? []).filter(one => one.output_type === "error").map(one => `${one.ename}: ${one.evalue}`),
    text: (cell.outputs ?? []).map(one => [one.data?.["text/plain"] ?? one.text ?? ""].flat().join("")).join("\n"),
}));
window.watchPicture = (path, place) => {  // from the next key to the frame that has the picture which it led to
    const output = panelOf(path).content.widgets[place].node.querySelector(".jp-Cell-outputArea");
    const mine = talks[path], before = output.querySelector(".explored");
    mine.pressed = mine.changed = null;
    output.addEventListener("keydown", key => mine.pressed = key.timeStamp, {capture: true, once: true});
    new MutationObserver(async (_, observer) => {
        if (output.querySelector(".explored") === before) return;
        observer.disconnect();
        mine.changed = (async () => {
            await output.querySelector(".explored img")?.decode();
            await frame();
            return performance.now() - mine.pressed;
        })();
    }).observe(output, {childList: true, subtree: true});
};
window.pictureTime = async path => {
    await quiet(path);
    return await talks[path].changed;  // null where the picture stayed
};
window.evaluate = async (path, code) => {
    let told = "";
    const future = panelOf(path).sessionContext.session.kernel.requestExecute({code, store_history: false});
    future.onIOPub = msg => told += msg.content.text ?? "";
    await future.done;
    return told.trim();
};
