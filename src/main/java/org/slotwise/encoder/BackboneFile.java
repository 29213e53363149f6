package org.slotwise.encoder;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.slotwise.internal.OptionalArtifact;

/** A file with a network that another program exported: TorchScript, or ONNX by its suffix. */
record BackboneFile(String who, Path path) {

    private static final String ONNX = "OnnxRuntime";

    BackboneFile {
        if (!Files.isRegularFile(path)) {
            throw new IllegalArgumentException(who + ": file must exist, got " + path);
        }
    }

    private boolean isOnnx() {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".onnx");
    }

    /** Whether the network runs in the engine in which this library computes. */
    boolean isTorchScript() {
        return !isOnnx();
    }

    /** Where the network is run if nothing else is asked for: its engine may know no GPU. */
    Device defaultDevice() {
        return engine().defaultDevice();
    }

    private Engine engine() {
        String engine = isOnnx() ? ONNX : "PyTorch";
        if (!Engine.hasEngine(engine)) {
            throw OptionalArtifact.ONNX.missing(who, path + " needs DJL's engine " + engine);
        }
        return Engine.getEngine(engine);
    }

    /**
     * Loads the network as a model that the caller closes.
     *
     * @param trainable false to load parameters that can never be trained
     */
    Model load(Device device, boolean trainable) throws IOException, MalformedModelException {
        String engine = engine().getEngineName();
        if (isTorchScript()) {
            requireTorchScript();
        }
        Path file = path.toAbsolutePath();
        Model model = Model.newInstance(file.getFileName().toString(), device, engine);
        try {
            model.load(
                    file.getParent(),
                    file.getFileName().toString(),
                    Map.of("mapLocation", "true", "trainParam", Boolean.toString(trainable)));
            return model;
        } catch (EngineException | MalformedModelException e) {
            model.close();
            throw new MalformedModelException(
                    who + ": " + path + " cannot be loaded: " + firstLine(e), e);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** The engine's own words for these mistakes lead astray. */
    private void requireTorchScript() throws IOException, MalformedModelException {
        boolean code = false;
        boolean pickle = false;
        try (ZipFile zip = new ZipFile(path.toFile())) {
            for (var entries = zip.entries(); entries.hasMoreElements(); ) {
                String name = entries.nextElement().getName();
                code |= name.endsWith("/constants.pkl");
                pickle |= name.endsWith("/data.pkl");
            }
        } catch (ZipException e) {
            throw new MalformedModelException(
                    who + ": file must be TorchScript, " + path + " is not, or is cut short", e);
        }
        if (!code) {
            throw new MalformedModelException(
                    who
                            + ": file must be TorchScript, "
                            + path
                            + (pickle
                                    ? " holds a state dict or a pickled object, without code: write"
                                            + " it by torch.jit.save(torch.jit.script(module))"
                                    : " is another archive"));
        }
    }

    /** The SHA-256 of the file, by which two backbones are told apart. */
    String sha256() throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (DigestInputStream through = new DigestInputStream(in, digest)) {
                through.transferTo(OutputStream.nullOutputStream());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(who + ": file must exist, got " + path, e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** The part of an engine's message that says what is wrong. */
    static String firstLine(Throwable e) {
        String message = String.valueOf(e.getMessage()).strip();
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
