package org.slotwise.torchscript;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.Check;
import org.slotwise.internal.TorchScriptArchive;

/**
 * A block as a file that plain PyTorch loads: with its equations, and with parameters under the
 * names that {@code StateDict} has for them.
 *
 * <pre>{@code
 * TorchScript.of(slotAttention).write(Path.of("slots.pt"));       // in Java
 *
 * module = torch.jit.load("slots.pt")                             # in Python
 * out = module(features, conditioning)
 * out["objects"], out["feature_attributions"]
 * }</pre>
 *
 * <p>Parameters that are learnt require gradients there, and all of the equations are
 * differentiable. Numbers of images, features and slots may change from call to call. The file has
 * the parameters' type; {@code module.double()} makes another of it. Inputs are not checked as they
 * are here: what does not fit is an error of PyTorch's.
 */
public final class TorchScript {

    private static final String WHO = "TorchScript";

    private final ScriptModule module;

    private TorchScript(ScriptModule module) {
        this.module = module;
    }

    /**
     * A block.
     *
     * @param block a {@link Scriptable} one
     * @return what can be written
     * @throws IllegalArgumentException if the block, or a part of it, cannot be written; the
     *     message names it
     */
    public static TorchScript of(Block block) {
        return new TorchScript(ScriptModule.of(WHO, block));
    }

    /**
     * A module that was put together.
     *
     * @param module the module
     * @return what can be written
     */
    public static TorchScript of(ScriptModule module) {
        return new TorchScript(module);
    }

    /**
     * The source of all classes.
     *
     * @return what the file holds under code
     */
    public String source() {
        return new ScriptSource(module).text();
    }

    /**
     * Writes a file. It is written beside the target and moved there when complete: whatever fails,
     * the old file or the new one is there, never a part.
     *
     * @param path the target; such files are called .pt
     * @throws IOException if it cannot be written; the message names the file
     * @throws IllegalStateException if a parameter has no value yet, or none any more
     */
    public void write(Path path) throws IOException {
        requireValues(module, "");
        try {
            AtomicFile.write(path, this::write);
        } catch (IOException e) {
            throw new IOException(WHO + ": " + e.getMessage(), e);
        }
    }

    /**
     * Writes to a stream.
     *
     * @param out where to; not closed
     * @throws IOException if it cannot be written
     * @throws IllegalStateException if a parameter has no value yet, or none any more
     */
    public void write(OutputStream out) throws IOException {
        requireValues(module, "");
        ScriptSource source = new ScriptSource(module);
        ModulePickle pickle = new ModulePickle(module, source.classes());
        TorchScriptArchive.write(out, pickle.bytes(), source.text(), pickle.storages());
    }

    private static void requireValues(ScriptModule module, String prefix) {
        for (Map.Entry<String, Parameter> entry : module.parameters().entrySet()) {
            Parameter parameter = entry.getValue();
            String name = prefix + entry.getKey();
            if (!parameter.isInitialized()) {
                throw new IllegalStateException(
                        WHO + ": initialize the block first; " + name + " has no value yet");
            }
            if (parameter.getArray().isReleased()) {
                throw new IllegalStateException(WHO + ": " + name + " is closed");
            }
            Check.floating(WHO, name, parameter.getArray().getDataType());
        }
        module.modules().forEach((name, inside) -> requireValues(inside, prefix + name + "."));
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return WHO + "[" + module.type() + "]";
    }
}
