package org.slotwise.examples.diffusion;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
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
 * there, and ends with the same files as if it had never been stopped. One at a time may write.
 */
final class ComposedFolder implements Closeable {

    /** Says what pictures were made of. */
    private static final String SAYS = "composition.txt";

    /** The byte of that file that who writes here has locked; the file has none there. */
    private static final long LOCKED = Long.MAX_VALUE - 1;

    private final Path path;
    private final Map<String, BitSet> there = new HashMap<>();
    private @Nullable FileChannel locked;

    /**
     * Says where the folders lie, or will.
     *
     * @param path the folder that they are in
     */
    ComposedFolder(Path path) {
        this.path = path;
    }

    /** A set of pictures, in the folder of a name. */
    record Part(String name, Scenes pictures) {}

    /** Refuses a folder that has other files, before anything takes time. */
    static void check(Path path) throws IOException {
        if (!Files.exists(path.resolve(SAYS)) && new OutputFolder(path).hasFiles()) {
            throw new IOException(
                    path + " has other files; --folder must be empty, or begun by this command");
        }
    }

    /**
     * Begins, or goes on with what was begun.
     *
     * @param run all that decides which pictures they are, a line each
     * @param most how many pictures each of the folders can have
     */
    void begin(List<String> run, Map<String, Long> most) throws IOException {
        new OutputFolder(path).make();
        Path says = path.resolve(SAYS);
        if (Files.exists(says)) {
            requireSame(says, run);
        } else {
            WholeFile.write(says, (String.join("\n", run) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        lock(says);
        WholeFile.deleteUnfinished(path);
        for (Map.Entry<String, Long> part : most.entrySet()) {
            there.put(part.getKey(), pictures(part.getKey()).there(part.getValue()));
        }
    }

    private void lock(Path says) throws IOException {
        try {
            locked = FileChannel.open(says, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw FileTrouble.writing(says, e);
        }
        boolean free;
        try {
            free = locked.tryLock(LOCKED, 1, false) != null;
        } catch (OverlappingFileLockException e) {
            free = false;
        } catch (IOException e) {
            free = true; // some network file systems have no locks
        }
        if (!free) {
            throw new IOException(path + " is being written to by another such command");
        }
    }

    private void requireSame(Path says, List<String> run) throws IOException {
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
        for (Part part : parts) {
            if (there(part).length() > part.pictures().size()) {
                out.printf(
                        "%s has more pictures than these %d; they stay, and are measured with"
                                + " them%n",
                        path.resolve(part.name()), part.pictures().size());
            }
        }
        long known = LongStream.range(0, size).filter(i -> isThere(parts, i)).count();
        if (known > 0) {
            out.printf("%d of %d pictures were there already%n", known, size);
        }
        ProgressLines progress = new ProgressLines(out, path.toString(), "pictures", size);
        for (long from = 0; from < size; from += MadePictures.BATCH) {
            boolean all = true;
            for (Part part : parts) {
                long to = Math.min(part.pictures().size(), from + MadePictures.BATCH);
                for (long i = from; i < to; i++) {
                    if (!there(part).get((int) i)) {
                        all = false;
                        Path file = pictures(part.name()).file(i);
                        write(file, part.pictures(), i, stop, out, from);
                    }
                }
            }
            long done = Math.min(size, from + MadePictures.BATCH);
            if (all) {
                progress.begin(done);
            }
            progress.done(done);
            if (stop.isMade() && done < size) {
                throw stopped(out, done);
            }
        }
    }

    /** The numbers of a part's pictures that were there when this began. */
    private BitSet there(Part part) {
        return there.getOrDefault(part.name(), new BitSet());
    }

    /** Whether all parts that have a picture of a number had it when this began. */
    private boolean isThere(List<Part> parts, long number) {
        return parts.stream()
                .allMatch(
                        part -> number >= part.pictures().size() || there(part).get((int) number));
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

    private NumberedPictures pictures(String part) {
        return new NumberedPictures(path.resolve(part));
    }

    @Override
    public void close() throws IOException {
        if (locked != null) {
            locked.close();
        }
    }
}
