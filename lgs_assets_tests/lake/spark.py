"""A real Spark cluster for tests, from the programs that come with pyspark: separate processes on this machine."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PATIENCE_SECONDS = 90
_HOST = "127.0.0.1"
_DAEMON = "org.apache.spark.deploy"

# Of the compilers of Java, only the one that soon has a result.
_JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
# Small enough for a laptop, and cut into many tasks although there is little data. All else is Spark's default.
_DEFAULTS = f"""
spark.driver.extraJavaOptions {_JAVA_OPTIONS}
spark.executor.extraJavaOptions {_JAVA_OPTIONS}
spark.driver.memory 1g
spark.executor.memory 512m
spark.sql.files.maxPartitionBytes 4m
spark.sql.shuffle.partitions 4
spark.ui.enabled false
spark.ui.showConsoleProgress false
"""
_LOGGING = """
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c: %m%n
"""


@dataclass
class SparkCluster:
    """A standalone master and workers of one core each, in a folder of their own, on free ports of the loopback."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lgs-spark-")))
    url: str = ""
    workers: list[psutil.Popen] = field(default_factory=list)
    master: psutil.Popen | None = None

    @staticmethod
    def is_installed() -> bool:
        has_java = shutil.which("java") or os.environ.get("JAVA_HOME")
        return bool(has_java and importlib.util.find_spec("pyspark"))

    @property
    def environment(self) -> dict[str, str]:
        """What the driver needs in its environment: everything listens on the loopback only."""
        return {"SPARK_LOCAL_IP": _HOST, "SPARK_CONF_DIR": str(self.folder / "conf")}

    def start(self, *, workers: int) -> None:
        """Starts it and waits until the workers have registered."""
        (self.folder / "conf").mkdir()
        (self.folder / "conf" / "spark-defaults.conf").write_text(_DEFAULTS)
        (self.folder / "conf" / "log4j2.properties").write_text(_LOGGING)
        log = self.folder / "master.log"
        self.master = self._run(log, f"{_DAEMON}.master.Master")
        self.url = self._logged(log, r"Starting Spark master at (\S+)")
        for _ in range(workers):
            self.add_worker()
        for worker in range(workers):
            self._logged(self._log_of(worker), "Successfully registered with master")

    def add_worker(self) -> None:
        number = len(self.workers)
        options = ["--cores", "1", "--memory", "512m", "--work-dir", str(self.folder / f"worker-{number}"), self.url]
        self.workers.append(self._run(self._log_of(number), f"{_DAEMON}.worker.Worker", *options))

    def executors(self, worker: int) -> list[psutil.Process]:
        """The processes that run the tasks of that worker."""
        return [child for child in self.workers[worker].children() if child.status() != psutil.STATUS_ZOMBIE]

    def kill_worker(self, worker: int) -> None:
        """Ends it and its executors as a power cut would."""
        for process in [*self.executors(worker), self.workers[worker]]:
            process.kill()
        self.workers[worker].wait()

    def stop(self) -> None:
        """Leaves no process and no file behind."""
        started = [process for process in [*self.workers, self.master] if process and process.is_running()]
        family = [*started, *(child for process in started for child in process.children(recursive=True))]
        for process in family:
            with suppress(psutil.NoSuchProcess):  # it ended with another
                process.kill()
        psutil.wait_procs(family)
        shutil.rmtree(self.folder)

    def _run(self, log: Path, main: str, *options: str) -> psutil.Popen:
        import pyspark

        program = Path(pyspark.__file__).parent / "bin" / "spark-class"
        where = ["--host", _HOST, "--port", "0", "--webui-port", "0"]
        settings = {"SPARK_LOCAL_IP": _HOST, "SPARK_DAEMON_MEMORY": "256m"}
        settings |= dict.fromkeys(["SPARK_LAUNCHER_OPTS", "SPARK_DAEMON_JAVA_OPTS"], _JAVA_OPTIONS)
        command: list[str | Path] = [program, main, *where, *options]
        with log.open("wb") as out:
            return psutil.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **settings})

    def _log_of(self, worker: int) -> Path:
        return self.folder / f"worker-{worker}.log"

    def _logged(self, log: Path, pattern: str) -> str:
        """What the pattern, or its group, matches in a log, as soon as it does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (match := re.search(pattern, log.read_text(errors="replace"))):
            if time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace"))
            time.sleep(0.1)
        return match[match.lastindex or 0]
