package org.slotwise.examples.diffusion;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.FileTrouble;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.ProgressLines;
import org.slotwise.examples.shared.ScenePicture;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.examples.shared.WholeFile;

/**
 * Composed pictures as files, those of each decoder in a folder, beside the real ones. A file says
 * what they were made of: where the same is made again, it goes on behind the pictures that are
 * there, and ends with the same files as if it had never been stopped.
 *
 * @param path where the folders lie
 */
record ComposedFolder(Path path) {

    /** Says what pictures were made of. */
    private static final String SAYS = "composition.txt";

    /** A set of pictures, in the folder of a name. */
    record Part(String name, Scenes pictures) {}

    /** Refuses a folder that has other files, before anything takes time. */
    void check() throws IOException {
        if (!Files.isDirectory(path) || Files.exists(path.resolve(SAYS))) {
            return;
        }
        boolean empty;
        try (Stream<Path> inside = Files.list(path)) {
            empty = inside.findAny().isEmpty();
        } catch (IOException e) {
            throw FileTrouble.reading(path, e);
        }
        if (!empty) {
            throw new IOException(
                    path + " has other files; --folder must be empty, or begun by this command");
        }
    }

    /**
     * Begins, or goes on with what was begun.
     *
     * @param run all that decides which pictures they are, a line each
     */
    void begin(List<String> run) throws IOException {
        new OutputFolder(path).make();
        Path says = path.resolve(SAYS);
        if (!Files.exists(says)) {
            WholeFile.write(says, (String.join("\n", run) + "\n").getBytes(StandardCharsets.UTF_8));
            return;
        }
        List<String> before;
        try {
            before = Files.readAllLines(says);
        } catch (IOException e) {
            throw FileTrouble.reading(says, e);
        }
        for (int i = 0; i < run.size(); i++) {
            String was = i < before.size() ? before.get(i) : "nothing";
            if (!was.equals(run.get(i))) {
                throw new IOException(
                        path
                                + " has other pictures: it was "
                                + was
                                + ", and is now "
                                + run.get(i)
                                + "; the same goes on with what is there (--scenes as it was), another"
                                + " --folder begins anew");
            }
        }
    }

    /**
     * Writes what is not there yet: of all parts some pictures, then the next ones.
     *
     * @param stop who may ask to end it
     */
    void write(PrintWriter out, List<Part> parts, StopRequest stop) throws IOException {
        for (Part part : parts) {
            new OutputFolder(path.resolve(part.name())).make();
        }
        long size = parts.stream().mapToLong(part -> part.pictures().size()).max().orElse(0);
        if (parts.stream().anyMatch(part -> Files.exists(file(part, part.pictures().size())))) {
            out.printf("%s has more pictures than these %d; they stay%n", path, size);
        }
        ProgressLines progress = new ProgressLines(out, path.toString(), "pictures", size);
        long there = 0;
        for (long from = 0; from < size; from += MadePictures.BATCH) {
            boolean all = true;
            for (Part part : parts) {
                long to = Math.min(part.pictures().size(), from + MadePictures.BATCH);
                for (long i = from; i < to; i++) {
                    Path file = file(part, i);
                    if (!Files.exists(file)) {
                        all = false;
                        write(file, part.pictures(), i, stop, out, from);
                    }
                }
            }
            long done = Math.min(size, from + MadePictures.BATCH);
            if (all) {
                there = done;
                progress.begin(done);
            }
            if (there > 0 && (!all || done == size)) {
                out.printf("%d of %d pictures were there already%n", there, size);
                there = 0;
            }
            progress.done(done);
            if (stop.isMade() && done < size) {
                throw stopped(out, done);
            }
        }
    }

    private void write(
            Path file, Scenes pictures, long index, StopRequest stop, PrintWriter out, long done)
            throws IOException {
        try {
            new OutputFile(file).write(ScenePicture.of(pictures.get(index)));
        } catch (Stopped e) {
            if (stop.isMade()) {
                throw stopped(out, done);
            }
            throw e;
        }
    }

    /** Ends a sampling that nobody waits for any more. */
    static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    static InterruptedIOException stopped(PrintWriter out, long done) {
        String message = "stopped after " + done + " pictures; the same command goes on";
        out.println(message);
        out.flush();
        return new InterruptedIOException(message);
    }

    /** Six digits, so that more pictures have the same names. */
    private Path file(Part part, long index) {
        String number = Long.toString(index);
        return path.resolve(part.name())
                .resolve("0".repeat(Math.max(0, 6 - number.length())) + number + ".png");
    }
}
